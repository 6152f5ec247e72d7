import { type ErrorRef, fail } from '../lib/error-catalogue.ts'
import type { StatewardError } from '../lib/errors.ts'
import { isObject } from '../lib/json.ts'

/** What an API server says to a request it did not grant, or that it said nothing at all. Decided by status and reason, never by text. */
export type KubeFailure =
  /** No answer: the network, TLS, a timeout. */
  | 'unreachable'
  | 'unauthorized'
  | 'forbidden'
  | 'notFound'
  /** Somebody else changed it meanwhile, or holds the field. */
  | 'conflict'
  | 'alreadyExists'
  /** The version asked for is too old (410): list again. */
  | 'expired'
  /** It does not fit the schema, or breaks a rule: the same request never succeeds. */
  | 'invalid'
  /** Too many requests, or the server is overloaded or starting: later. */
  | 'busy'
  | 'server'
  | 'refused'

/** A request that failed. `status` 0 = there was no answer. */
export class KubeError extends Error {
  readonly failure: KubeFailure
  readonly status: number
  /** The `reason` of the metav1.Status; empty when it sent none. */
  readonly reason: string
  /** How long the server asks to wait; null = it does not. */
  readonly retryAfterMs: number | null
  /** Nothing can be made in the namespace, for it is being deleted. */
  readonly isOfEndingNamespace: boolean

  constructor(
    given: {
      readonly status: number
      readonly reason?: string
      readonly retryAfterMs?: number | null
      readonly isOfEndingNamespace?: boolean
    },
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options)
    this.name = 'KubeError'
    this.status = given.status
    this.reason = given.reason ?? ''
    this.retryAfterMs = given.retryAfterMs ?? null
    this.isOfEndingNamespace = given.isOfEndingNamespace ?? false
    this.failure = failureOf(this.status, this.reason)
  }

  /** Whether the same request may succeed later. */
  get isRetryable(): boolean {
    return ['unreachable', 'busy', 'server', 'conflict'].includes(this.failure)
  }
}

const BY_STATUS: Readonly<Record<number, KubeFailure>> = {
  0: 'unreachable',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  410: 'expired',
  422: 'invalid',
  429: 'busy',
  503: 'busy',
  504: 'busy',
}

function failureOf(status: number, reason: string): KubeFailure {
  if (status === 409) return reason === 'AlreadyExists' ? 'alreadyExists' : 'conflict'
  return BY_STATUS[status] ?? (status >= 500 ? 'server' : 'refused')
}

/** The error of an answer that is not a success; its body may be a metav1.Status, or anything. */
export function errorOfAnswer(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: unknown,
  what: string,
): KubeError {
  const said = isObject(body) ? body : {}
  const message = typeof said['message'] === 'string' ? said['message'] : `answered ${status}`
  const seconds = Number(headers['retry-after'] ?? secondsOf(said))
  return new KubeError(
    {
      status,
      reason: typeof said['reason'] === 'string' ? said['reason'] : '',
      retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null,
      isOfEndingNamespace: causesOf(said).includes('NamespaceTerminating'),
    },
    `${what}: ${message}`,
  )
}

function causesOf({ details }: Readonly<Record<string, unknown>>): readonly unknown[] {
  const causes = isObject(details) ? details['causes'] : null
  return Array.isArray(causes) ? causes.map((cause) => (isObject(cause) ? cause['reason'] : null)) : []
}

function secondsOf(status: Readonly<Record<string, unknown>>): unknown {
  return isObject(status['details']) ? (status['details']['retryAfterSeconds'] ?? 'none') : 'none'
}

const REFS: Partial<Record<KubeFailure, ErrorRef>> = {
  unreachable: 'SW_CLUSTER_UNREACHABLE',
  busy: 'SW_CLUSTER_UNREACHABLE',
  server: 'SW_CLUSTER_UNREACHABLE',
  unauthorized: 'SW_CLUSTER_FORBIDDEN',
  forbidden: 'SW_CLUSTER_FORBIDDEN',
}

/** As people are told: SW_CLUSTER_UNREACHABLE, SW_CLUSTER_FORBIDDEN, or SW_CLUSTER_REFUSED for anything else it said no to. */
export function toClusterError(error: unknown): StatewardError {
  const known = error instanceof KubeError ? error : new KubeError({ status: 0 }, String(error), { cause: error })
  return fail(REFS[known.failure] ?? 'SW_CLUSTER_REFUSED', known.message, { cause: error })
}
