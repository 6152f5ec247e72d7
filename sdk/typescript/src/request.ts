/** A request that the server refused; `status` 0 = it did not answer. */
export class StatewardRequestError extends Error {
  readonly status: number
  /** The lower-case word of the error: `conflict`. */
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    status: number,
    code: string,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'StatewardRequestError'
    this.status = status
    this.code = code
    this.details = options.details ?? {}
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

export interface Connection {
  readonly url: string
  readonly token: string
  readonly fetch: typeof fetch
}

/** Sends JSON, takes JSON; null for an answer without a body. Throws StatewardRequestError. */
export async function request(
  { url, token, fetch }: Connection,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  options: { readonly body?: unknown; readonly signal?: AbortSignal } = {},
): Promise<unknown> {
  const response = await send(fetch, `${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  if (!response.ok) throw await refusal(response)
  const text = await response.text()
  return text === '' ? null : JSON.parse(text)
}

/** The answer, whatever its status; status 0 when there is none. */
export async function send(fetchIt: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetchIt(url, init)
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new StatewardRequestError(0, 'unreachable', `${new URL(url).origin} does not answer: ${why}`, {
      cause: error,
    })
  }
}

export async function refusal(response: Response): Promise<StatewardRequestError> {
  const text = await response.text()
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; details?: Record<string, unknown> }
    }
    return new StatewardRequestError(response.status, error.code, error.message, { details: error.details ?? {} })
  } catch {
    return new StatewardRequestError(response.status, 'unknown', `status ${response.status}: ${text.slice(0, 200)}`)
  }
}
