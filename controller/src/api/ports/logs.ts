/**
 * Text that was written by processes and steps, as chunks. Each promise resolves once it is known that there is such a thing
 * (else SW_NOT_FOUND); with `follow` the iteration goes on until the thing has ended or `signal` is aborted.
 */
export interface LogReaders {
  run(runId: string, options: LogOptions): Promise<AsyncIterable<string>>
  task(taskId: string, options: LogOptions): Promise<AsyncIterable<string>>
  agent(ref: { readonly namespace: string; readonly name: string }, options: LogOptions): Promise<AsyncIterable<string>>
}

export interface LogOptions {
  readonly follow: boolean
  readonly signal: AbortSignal
  /** Only the last lines; null = all. */
  readonly tailLines: number | null
}
