export type LogStream = 'out' | 'err'

export interface LogRequest {
  /** Goes on until the instance has ended, or `signal` is aborted. */
  readonly follow: boolean
  readonly signal: AbortSignal
  /** Only the last lines; null = all that fits into 4 MiB. */
  readonly tailLines: number | null
}
