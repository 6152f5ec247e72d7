import type { Executor, Tx } from '../database.ts'
import type { LoggedEvent } from '../ports.ts'
import { type EventRow, loggedEvent } from './events.ts'

/** Where a durable consumer of the log stands; a new one begins at the first event. */
export async function consumerPosition(tx: Executor, name: string): Promise<number> {
  const [row] = await tx<{ seq: number }[]>`
    WITH made AS (INSERT INTO consumers (name, seq) VALUES (${name}, 0) ON CONFLICT (name) DO NOTHING RETURNING seq)
    SELECT seq FROM made UNION ALL SELECT seq FROM consumers WHERE name = ${name} LIMIT 1`
  return row!.seq
}

/** Moves a consumer on. False when it does not stand at `from`: somebody else has moved it, nothing may be done twice. */
export async function moveConsumer(tx: Tx, name: string, from: number, to: number): Promise<boolean> {
  const result = await tx`UPDATE consumers SET seq = ${to} WHERE name = ${name} AND seq = ${from}`
  return result.count === 1
}

/** Events in (after, upTo], by number; without `own` the ones named `stateward.…` are left out. */
export async function readEventsBetween(
  sql: Executor,
  range: { readonly after: number; readonly upTo: number; readonly own: boolean; readonly limit: number },
): Promise<LoggedEvent[]> {
  const rows = await sql<EventRow[]>`
    SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type, resource_id, data
    FROM events WHERE seq > ${range.after} AND seq <= ${range.upTo}
      ${range.own ? sql`` : sql`AND NOT starts_with(event_name, 'stateward.')`}
    ORDER BY seq LIMIT ${range.limit}`
  return rows.map(loggedEvent)
}
