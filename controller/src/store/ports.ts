import type { Json, JsonObject } from '../lib/json.ts'

/** An event before the log gives it a number. */
export interface NewEvent {
  readonly event_id: string
  /** `stateward.<noun>[.<noun>].<past verb>` for ours. */
  readonly event_name: string
  readonly occurred_at: Date
  readonly env_id: string
  readonly actor: string
  readonly correlation_id: string
  readonly run_id?: string | null
  readonly step_id?: string | null
  readonly resource?: { readonly type: string; readonly id: string } | null
  readonly data: JsonObject
}

/** An event as the log holds it: the DTO of the API with its number. */
export interface LoggedEvent {
  readonly seq: number
  readonly event_id: string
  readonly event_name: string
  readonly occurred_at: string
  readonly env_id: string
  readonly actor: string
  readonly correlation_id: string
  readonly run_id: string | null
  readonly step_id: string | null
  readonly resource: { readonly type: string; readonly id: string } | null
  readonly data: { readonly [key: string]: Json }
}

/** What the log says back of a batch. */
export interface LogPosition {
  readonly firstSeq: number
  readonly lastSeq: number
  /** Lower-case hex of the chain after this batch. */
  readonly hash: string
  /** The batch's number of its writer: `log_batches (writer, n)` tells after a lost connection whether it was committed. */
  readonly n: number
}

/** Where the store says what happened; a pino logger fits. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
