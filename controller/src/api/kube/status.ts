import { ERRORS } from '../../lib/error-catalogue.ts'
import type { StatewardError } from '../../lib/errors.ts'
import { isObject } from '../../lib/json.ts'

/** metav1.Status of a failure: what kubectl and client libraries read. */
export interface KubeStatus {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Record<string, never>
  readonly status: 'Failure'
  readonly message: string
  /** Drives kubectl's wording and what clients do. */
  readonly reason: string
  readonly details: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly causes: readonly Cause[]
  }
  readonly code: number
}

interface Cause {
  readonly reason: string
  readonly message: string
  readonly field?: string
}

const REASONS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** kubectl shows no cause but that of a field: how a request should have been made stands in its message. */
function messageOf({ ref, status, message, remedy }: StatewardError): string {
  if (status !== 400 && status !== 405) return message
  const { [ref]: usual }: Readonly<Record<string, { readonly remedy: string }>> = ERRORS
  return remedy === usual?.remedy || message.includes(remedy) ? message : `${message}; ${remedy}`
}

/** The catalogue's reference and remedy travel as causes, since Status has no place of its own for them. */
export function statusOf(error: StatewardError): KubeStatus {
  const { name, group, kind, violations } = error.details
  // An object that does not fit, not a query, is `Invalid`: kubectl then lists its fields.
  const code = error.ref === 'SW_VALIDATION_FAILED' && typeof name === 'string' ? 422 : error.status
  const fields = Array.isArray(violations) ? violations.filter(isObject) : []
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: messageOf(error),
    reason:
      typeof error.details['kube_reason'] === 'string'
        ? error.details['kube_reason']
        : (REASONS[code] ?? 'InternalError'),
    details: {
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof group === 'string' ? { group } : {}),
      ...(typeof kind === 'string' ? { kind } : {}),
      causes: [
        ...fields.map((field) => ({
          reason: 'FieldValueInvalid',
          message: String(field['message']),
          field: String(field['path'])
            .replace(/^body\//, '')
            .replaceAll('/', '.'),
        })),
        ...(code === 422 ? [] : [{ reason: error.ref, message: error.remedy }]),
      ],
    },
    code,
  }
}
