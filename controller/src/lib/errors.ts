/**
 * A failure that a person can act on. `code` is the lower-case word the API shows, `ref` the catalogue's stable
 * reference (documented in docs/errors.md), `remedy` what to do about it.
 */
export class StatewardError extends Error {
  readonly ref: string
  readonly code: string
  readonly status: number
  readonly remedy: string
  readonly details: Record<string, unknown>

  constructor(
    entry: { readonly ref: string; readonly code: string; readonly status: number; readonly remedy: string },
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown; remedy?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StatewardError'
    this.ref = entry.ref
    this.code = entry.code
    this.status = entry.status
    this.remedy = options.remedy ?? entry.remedy
    this.details = options.details ?? {}
  }
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
