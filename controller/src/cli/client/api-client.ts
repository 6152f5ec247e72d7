import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import { isObject } from '../../lib/json.ts'
import { splitLines } from './line-stream.ts'

export interface ApiClient {
  /** `http://127.0.0.1:8088`, without a slash at the end. */
  readonly server: string
  /** JSON of a GET. Throws the server's own error, or SW_SERVER_UNREACHABLE. */
  get<T>(path: string, query?: Query): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
  /** Lines of a response as they come, until it ends or `signal` is aborted. */
  lines(
    path: string,
    query: Query,
    signal: AbortSignal,
    headers?: Readonly<Record<string, string>>,
  ): AsyncIterable<string>
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface ApiOptions {
  readonly server: string
  readonly token: string | null
  /** The person behind an admin credential. */
  readonly user?: string | null
  readonly fetch?: typeof fetch
}

/** Speaks to the API of one server with one credential. Paths are absolute: `/api/v1/runs`. */
export function createApiClient(options: ApiOptions): ApiClient {
  const request = (path: string, query: Query, init: RequestInit): Promise<Response> => send(options, path, query, init)
  return {
    server: options.server,
    get: async (path, query = {}) => jsonOf(await request(path, query, {})),
    post: async (path, body) =>
      jsonOf(
        await request(
          path,
          {},
          { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
        ),
      ),
    async *lines(path, query, signal, headers = {}) {
      try {
        const response = await request(path, query, { signal, headers })
        if (response.body !== null) yield* splitLines(response.body)
      } catch (error) {
        if (signal.aborted) return
        throw error instanceof StatewardError ? error : unreachable(options.server, error)
      }
    },
  }
}

async function send(options: ApiOptions, path: string, query: Query, init: RequestInit): Promise<Response> {
  const url = new URL(options.server + path)
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(key, String(value))
  }
  const headers = new Headers(init.headers)
  if (options.token !== null) headers.set('authorization', `Bearer ${options.token}`)
  if (typeof options.user === 'string') headers.set('x-stateward-user', options.user)
  let response: Response
  try {
    response = await (options.fetch ?? fetch)(url, { ...init, headers })
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw unreachable(options.server, error)
  }
  if (!response.ok) throw await errorOf(response, options.server)
  return response
}

async function jsonOf<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T
  try {
    return (await response.json()) as T
  } catch (cause) {
    throw fail('SW_SERVER_UNREACHABLE', `${response.url} did not answer with JSON`, {
      cause,
      remedy: 'check that --server names a Stateward server',
    })
  }
}

function unreachable(server: string, error: unknown): StatewardError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = isObject(cause) || cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  const why = code === 'ECONNREFUSED' ? 'nothing listens there' : errorMessage(cause)
  return fail('SW_SERVER_UNREACHABLE', `no answer from ${server}: ${why}`, { cause: error })
}

/** The error the server states, in its own words: the API's one shape, or Kubernetes' Status on `/kube`. */
async function errorOf(response: Response, server: string): Promise<StatewardError> {
  const body: unknown = await response.json().catch(() => null)
  if (isObject(body) && isObject(body['error'])) {
    const { code, message, details } = body['error'] as {
      code?: string
      message?: string
      details?: Record<string, unknown>
    }
    return new StatewardError(
      {
        ref: String(details?.['ref'] ?? 'SW_INTERNAL'),
        code: String(code ?? 'internal'),
        status: response.status,
        remedy: String(details?.['remedy'] ?? ''),
      },
      String(message ?? response.statusText),
      { details: { ...details, correlation_id: body['correlation_id'] } },
    )
  }
  if (isObject(body) && body['kind'] === 'Status') return kubeError(body, response.status)
  return fail('SW_SERVER_UNREACHABLE', `${server} answered ${response.status} ${response.statusText}`.trimEnd(), {
    remedy: 'check that --server names a Stateward server',
  })
}

const BY_STATUS = {
  401: 'SW_UNAUTHENTICATED',
  403: 'SW_FORBIDDEN',
  404: 'SW_NOT_FOUND',
  409: 'SW_CONFLICT',
  410: 'SW_EXPIRED',
} as const

/** A metav1.Status as an error; also the object of a watch's ERROR line. */
export function kubeError(body: Record<string, unknown>, status: number): StatewardError {
  const ref = BY_STATUS[status as keyof typeof BY_STATUS] ?? (status < 500 ? 'SW_BAD_REQUEST' : 'SW_INTERNAL')
  const causes = isObject(body['details']) && Array.isArray(body['details']['causes']) ? body['details']['causes'] : []
  // The reference and the remedy travel as a cause: Status has no place of its own for them.
  const own = causes.filter(isObject).find((cause) => String(cause['reason']).startsWith('SW_'))
  const message = String(body['message'] ?? body['reason'] ?? status)
  if (own === undefined) return fail(ref, message)
  return new StatewardError(
    { ref: String(own['reason']), code: String(body['reason']), status, remedy: String(own['message']) },
    message,
  )
}
