import type { FallbackCause } from '../routing/candidates.ts'

/** Malformed, too large, not to be done. */
const OF_QUESTION: readonly number[] = [400, 413, 422]

/** Why a backend did not answer. */
export class ModelFailure extends Error {
  readonly cause_: FallbackCause
  /** When it may be asked again, in milliseconds from now, as it said. */
  readonly retryAfterMs: number | null
  /** The answer had begun, so that nobody knows what it used. */
  readonly begun: boolean
  /** Asking somebody else with the same question does not help either. */
  readonly final: boolean
  /** What the provider answered word for word, for a client that speaks its format. */
  readonly reply: { readonly status: number; readonly body: string } | null

  constructor(
    cause: FallbackCause,
    message: string,
    more: {
      readonly retryAfterMs?: number | null
      readonly begun?: boolean
      readonly final?: boolean
      readonly by?: unknown
      readonly reply?: { readonly status: number; readonly body: string }
    } = {},
  ) {
    super(message, more.by === undefined ? {} : { cause: more.by })
    this.cause_ = cause
    this.retryAfterMs = more.retryAfterMs ?? null
    this.begun = more.begun ?? false
    this.final = more.final ?? false
    this.reply = more.reply ?? null
  }

  /** It says something of the question, and nothing of how the provider is. */
  get isOfQuestion(): boolean {
    return this.reply !== null && OF_QUESTION.includes(this.reply.status)
  }
}

/** A refusal of a provider that was asked without a library. */
export function statusFailure(status: number, headers: Headers, body: string): ModelFailure {
  const cause = status === 429 ? 'rateLimit' : status === 408 || status === 504 ? 'timeout' : 'error'
  return new ModelFailure(cause, `${status}: ${saidIn(body)}`, {
    retryAfterMs: status === 429 ? retryAfter({ 'retry-after': headers.get('retry-after') ?? undefined }) : null,
    begun: cause === 'timeout',
    reply: { status, body },
  })
}

/** The message of an error as providers put it, else what came. */
function saidIn(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: { message?: unknown } | string; message?: unknown }
    const said = typeof error === 'object' ? error?.message : (error ?? message)
    if (typeof said === 'string') return said
  } catch {
    // No JSON: a proxy on the way, perhaps.
  }
  return body.slice(0, 500)
}

interface ApiError {
  readonly statusCode?: number
  readonly responseHeaders?: Readonly<Record<string, string>>
  readonly responseBody?: string
  readonly message: string
}

/** An error of a provider's library in our words. `begun`: something of the answer had come. */
export function failureOf(error: unknown, begun: boolean): ModelFailure {
  if (error instanceof ModelFailure) return error
  const { statusCode, responseHeaders, message } = apiErrorOf(error)
  if (statusCode === 429)
    return new ModelFailure('rateLimit', `429: ${message}`, {
      retryAfterMs: retryAfter(responseHeaders),
      begun,
      by: error,
    })
  if (statusCode === 408 || statusCode === 504)
    return new ModelFailure('timeout', `${statusCode}: ${message}`, { begun: true, by: error })
  return new ModelFailure('error', statusCode === undefined ? message : `${statusCode}: ${message}`, {
    begun,
    by: error,
  })
}

/** Libraries wrap what went wrong: the innermost that has a status counts. */
function apiErrorOf(error: unknown): ApiError {
  let at: unknown = error
  for (let depth = 0; depth < 5 && typeof at === 'object' && at !== null; depth++) {
    const { statusCode, status_code, cause } = at as { statusCode?: unknown; status_code?: unknown; cause?: unknown }
    const status = typeof statusCode === 'number' ? statusCode : typeof status_code === 'number' ? status_code : null
    if (status !== null) return { ...(at as ApiError), statusCode: status, message: textOf(at) }
    at = cause
  }
  return { message: textOf(error) }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) {
    const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error
    return typeof message === 'string' ? message : JSON.stringify(message)
  }
  const inner =
    error.cause instanceof Error && !error.message.includes(error.cause.message) ? error.cause.message : null
  const code = (error.cause as { code?: unknown } | undefined)?.code
  return [error.message, inner, typeof code === 'string' && code !== inner ? code : null].filter(Boolean).join(': ')
}

function retryAfter(headers: Readonly<Record<string, string | undefined>> | undefined): number | null {
  const text = headers?.['retry-after']
  if (text === undefined) return null
  const seconds = Number(text)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}
