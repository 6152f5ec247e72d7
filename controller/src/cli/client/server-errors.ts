import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import { isObject } from '../../lib/json.ts'
import type { Exchange } from './exchange.ts'

/** No answer: the address and, where it is known, why. */
export function unreachable(server: string, error: unknown): StatewardError {
  // Several addresses were tried: each has an error of its own.
  const cause = error instanceof AggregateError ? (error.errors[0] ?? error) : error
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  const why = code === 'ECONNREFUSED' ? 'nothing listens there' : errorMessage(cause)
  return fail('SW_SERVER_UNREACHABLE', `no answer from ${server}: ${why}`, { cause: error })
}

/** The error a server states, in its own words: the API's one shape, or Kubernetes' Status on `/kube`. */
export async function refusalOf(response: Exchange, server: string): Promise<StatewardError> {
  const body = await jsonOrNull(response)
  if (isObject(body) && isObject(body['error'])) {
    const { code, message, details } = body['error']
    const known = isObject(details) ? details : {}
    return new StatewardError(
      {
        ref: String(known['ref'] ?? 'SW_INTERNAL'),
        code: String(code ?? 'internal'),
        status: response.status,
        remedy: String(known['remedy'] ?? ''),
      },
      String(message ?? response.statusText),
      { details: { ...known, correlation_id: body['correlation_id'] } },
    )
  }
  if (isObject(body) && body['kind'] === 'Status') return kubeError(body, response.status)
  return fail('SW_SERVER_UNREACHABLE', `${server} answered ${response.status} ${response.statusText}`.trimEnd(), {
    remedy: 'check that --server names a Stateward server',
  })
}

async function jsonOrNull(response: Exchange): Promise<unknown> {
  try {
    return JSON.parse(await response.text())
  } catch {
    return null
  }
}

const BY_STATUS = {
  401: 'SW_UNAUTHENTICATED',
  403: 'SW_FORBIDDEN',
  404: 'SW_NOT_FOUND',
  409: 'SW_CONFLICT',
  410: 'SW_EXPIRED',
} as const

/** A metav1.Status as an error; also the object of a watch's ERROR line. */
export function kubeError(body: Readonly<Record<string, unknown>>, status: number): StatewardError {
  const details = body['details']
  const causes = isObject(details) && Array.isArray(details['causes']) ? details['causes'] : []
  const message = String(body['message'] ?? body['reason'] ?? status)
  // The reference and the remedy travel as a cause: Status has no place of its own for them.
  const own = causes.filter(isObject).find((cause) => String(cause['reason']).startsWith('SW_'))
  if (own === undefined) {
    return fail(
      BY_STATUS[status as keyof typeof BY_STATUS] ?? (status < 500 ? 'SW_BAD_REQUEST' : 'SW_INTERNAL'),
      message,
    )
  }
  const entry = { ref: String(own['reason']), code: String(body['reason']), status, remedy: String(own['message']) }
  return new StatewardError(entry, message)
}
