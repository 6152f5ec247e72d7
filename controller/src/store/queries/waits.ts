import type { JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

/** A step that waits for an event. */
export interface OpenWait {
  readonly step_id: string
  readonly run_id: string
  readonly path: string
  readonly event: string
  readonly filter: string | null
  readonly bindings: JsonObject
  /** Only events with a greater number count. */
  readonly from_seq: number
}

/** Waits that one of these event names could end: by name, and every glob. */
export async function waitsFor(sql: Executor, names: readonly string[]): Promise<OpenWait[]> {
  return sql<OpenWait[]>`
    SELECT step_id, run_id, path, event, filter, bindings, from_seq FROM waits WHERE event = ANY(${[...names]}::text[])
    UNION
    SELECT step_id, run_id, path, event, filter, bindings, from_seq FROM waits WHERE event LIKE '%*%'`
}

/** Ends a wait; false when it has ended already. Locks the run before the wait, as the journal does. */
export async function takeWait(tx: Tx, wait: Pick<OpenWait, 'run_id' | 'step_id'>): Promise<boolean> {
  await tx`SELECT 1 FROM runs WHERE run_id = ${wait.run_id} FOR NO KEY UPDATE`
  const result = await tx`DELETE FROM waits WHERE step_id = ${wait.step_id}`
  return result.count === 1
}
