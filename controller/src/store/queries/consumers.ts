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

/** What a consumer finds behind its position. */
export interface LogBehind {
  /** How far the log had come. */
  readonly head: number
  readonly events: readonly LoggedEvent[]
  /** Whether there are events that it might have asked for, left out or not. */
  readonly hasMoved: boolean
  /** Whether steps wait for events; those that began before one of these are there. */
  readonly areAwaited: boolean
}

/**
 * Events behind a position, by number. Ours (`stateward.…`) are left out, unless `own` asks for them or a step waits for
 * one; names that do not fit the regular expression (default: all do) are left out unless any step waits. One statement, so
 * that all of it is of one moment.
 */
export async function readLogBehind(
  sql: Executor,
  range: { readonly after: number; readonly own: boolean; readonly pattern?: string; readonly limit: number },
): Promise<LogBehind> {
  type Row = { readonly head: number; readonly awaited: boolean; readonly moved: boolean } & {
    readonly [Column in keyof EventRow]: EventRow[Column] | null
  }
  const asked = sql`
    seq > ${range.after} AND seq <= log_head.seq
      AND (${range.own}::boolean OR NOT starts_with(event_name, 'stateward.')
           OR (SELECT EXISTS (SELECT FROM waits WHERE starts_with(event, 'stateward.'))))`
  const rows = await sql<Row[]>`
    SELECT log_head.seq AS head, (SELECT EXISTS (SELECT FROM waits)) AS awaited,
           (SELECT EXISTS (SELECT FROM events WHERE ${asked})) AS moved, found.*
    FROM log_head LEFT JOIN LATERAL (
      SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type,
             resource_id, data
      FROM events
      WHERE ${asked} AND (event_name ~ ${range.pattern ?? ''} OR (SELECT EXISTS (SELECT FROM waits)))
      ORDER BY seq LIMIT ${range.limit}
    ) AS found ON true
    ORDER BY found.seq`
  const [first] = rows
  return {
    head: first!.head,
    events: rows.filter((row): row is EventRow & Row => row.seq !== null).map(loggedEvent),
    hasMoved: first!.moved,
    areAwaited: first!.awaited,
  }
}

/** Events of some names behind a position, by number, and how far the log had come. */
export async function readNamedBehind(
  sql: Executor,
  range: { readonly after: number; readonly names: readonly string[]; readonly limit: number },
): Promise<{ readonly head: number; readonly events: readonly LoggedEvent[] }> {
  type Row = { readonly head: number } & { readonly [Column in keyof EventRow]: EventRow[Column] | null }
  const rows = await sql<Row[]>`
    SELECT log_head.seq AS head, found.*
    FROM log_head LEFT JOIN LATERAL (
      SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type,
             resource_id, data
      FROM events
      WHERE seq > ${range.after} AND seq <= log_head.seq AND event_name = ANY(${[...range.names]}::text[])
      ORDER BY seq LIMIT ${range.limit}
    ) AS found ON true
    ORDER BY found.seq`
  return {
    head: rows[0]!.head,
    events: rows.filter((row): row is EventRow & Row => row.seq !== null).map(loggedEvent),
  }
}

/** A new consumer begins where the log is now: what was before concerns it not. */
export async function beginConsumerAtHead(tx: Executor, name: string): Promise<void> {
  await tx`INSERT INTO consumers (name, seq) SELECT ${name}, seq FROM log_head ON CONFLICT (name) DO NOTHING`
}

/** One that nobody follows any more would keep the log from being tidied up. */
export async function forgetConsumer(tx: Executor, name: string): Promise<void> {
  await tx`DELETE FROM consumers WHERE name = ${name}`
}
