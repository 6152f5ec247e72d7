import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

type InboxKind = 'approve' | 'reject' | 'cancel' | 'task_result' | 'event' | 'timer' | 'resume'

/** Payload of `task_result`: how the task of a running agent_task step ended. `path` of the row is the step's. */
export interface TaskResultPayload {
  readonly task_id: string
  readonly status: 'completed' | 'failed'
  /** When completed. */
  readonly output?: Json
  /** When failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly retryable?: boolean }
}

/** Payload of `approve` and `reject`; `approve` only comes when enough have approved. */
export interface DecisionPayload {
  readonly reason?: string | null
  readonly input?: Json
  /** Who decided, in order; the last one is the row's actor. */
  readonly approvers?: readonly string[]
}

/** Payload of `cancel`. */
export interface CancelPayload {
  readonly reason?: string | null
}

/** Whatever comes to a run from outside. */
export interface InboxRow {
  readonly id: string
  readonly run_id: string
  readonly kind: InboxKind
  /** Step it is for; null = the run. */
  readonly path: string | null
  readonly payload: JsonObject
  readonly actor: string
  readonly created_at: Date
}

/**
 * Puts something into a run's inbox and wakes the run, whether it has an owner or is parked. Belongs into the
 * transaction that writes the event about it, before `appendEvents`; after the commit, nudge the run engine.
 * `signals` makes it safe against a run that is being parked at this moment. Returns false when the run has ended:
 * the row is kept as it came, nobody will read it.
 */
export async function insertInboxRow(tx: Executor, row: InboxRow): Promise<boolean> {
  await tx`
    INSERT INTO run_inbox (id, run_id, kind, path, payload, actor, created_at)
    VALUES (${row.id}, ${row.run_id}, ${row.kind}, ${row.path}, ${tx.json(row.payload)}, ${row.actor}, ${row.created_at})`
  const result = await tx`
    UPDATE runs SET wake_at = ${row.created_at}, signals = signals + 1
    WHERE run_id = ${row.run_id} AND status IN ('created', 'running')`
  return result.count === 1
}

/** What has not been consumed yet, in the order it came. */
export async function openInboxRows(sql: Executor, runIds: readonly string[]): Promise<InboxRow[]> {
  return sql<InboxRow[]>`
    SELECT id, run_id, kind, path, payload, actor, created_at FROM run_inbox
    WHERE run_id = ANY(${[...runIds]}::uuid[]) AND consumed_at IS NULL
    ORDER BY created_at, id`
}

/** Runs of this writer to which something came; the backstop for nudges that got lost. */
export async function ownedRunsWithInbox(sql: Executor, writer: string): Promise<string[]> {
  const rows = await sql<{ run_id: string }[]>`
    SELECT DISTINCT i.run_id FROM run_inbox i JOIN runs r USING (run_id)
    WHERE i.consumed_at IS NULL AND r.owner = ${writer}`
  return rows.map((row) => row.run_id)
}
