import type { Json } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'
import type { LoggedEvent, LogPosition } from '../ports.ts'

/** A batch as columns, one entry an event; `data` is JSON text, times are ISO texts. */
export interface EventColumns {
  readonly event_id: string[]
  readonly event_name: string[]
  readonly occurred_at: string[]
  readonly env_id: string[]
  readonly actor: string[]
  readonly correlation_id: string[]
  readonly run_id: (string | null)[]
  readonly step_id: (string | null)[]
  readonly resource_type: (string | null)[]
  readonly resource_id: (string | null)[]
  readonly data: string[]
  readonly digest: Buffer[]
}

/** Numbers, chain, rows and announcement in one statement: either all of it is there or nothing. */
export async function insertBatch(
  tx: Tx,
  batch: { channel: string; writer: string; n: number; digest: Buffer; columns: EventColumns },
): Promise<Omit<LogPosition, 'n'>> {
  const { columns } = batch
  const count = columns.event_id.length
  const [row] = await tx<{ last_seq: number; hash: string }[]>`
    WITH head AS (
      UPDATE log_head SET seq = seq + ${count}::bigint, hash = sha256(hash || ${batch.digest}::bytea) WHERE one
      RETURNING seq, hash
    ), batch AS (
      INSERT INTO log_batches (writer, n, first_seq, last_seq, digest, hash)
      SELECT ${batch.writer}::uuid, ${batch.n}::bigint, seq - ${count}::bigint + 1, seq, ${batch.digest}::bytea, hash FROM head
    ), appended AS (
      INSERT INTO events (seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id,
                          resource_type, resource_id, data, digest)
      SELECT head.seq - ${count}::bigint + e.place, e.event_id, e.event_name, e.occurred_at, e.env_id, e.actor,
             e.correlation_id, e.run_id, e.step_id, e.resource_type, e.resource_id, e.data::jsonb, decode(e.digest, 'hex')
      FROM head, unnest(
        ${columns.event_id}::uuid[], ${columns.event_name}::text[], ${columns.occurred_at}::text[]::timestamptz[],
        ${columns.env_id}::text[], ${columns.actor}::text[], ${columns.correlation_id}::text[], ${columns.run_id}::uuid[],
        ${columns.step_id}::uuid[], ${columns.resource_type}::text[], ${columns.resource_id}::text[], ${columns.data}::text[],
        ${columns.digest.map((digest) => digest.toString('hex'))}::text[]
      ) WITH ORDINALITY AS e (event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id,
                              resource_type, resource_id, data, digest, place)
    )
    SELECT seq AS last_seq, encode(hash, 'hex') AS hash, pg_notify(${batch.channel}, seq::text) FROM head`
  return { firstSeq: row!.last_seq - count + 1, lastSeq: row!.last_seq, hash: row!.hash }
}

export interface EventFilter {
  /** Events with a greater number only. */
  readonly after?: number
  /** At most this many. */
  readonly limit: number
  /** Exact event name. */
  readonly name?: string
  readonly runId?: string
  readonly resource?: { readonly type: string; readonly id: string }
  readonly correlationId?: string
  readonly envId?: string
  /** `desc` = the newest first. Default `asc`. */
  readonly order?: 'asc' | 'desc'
}

export interface EventRow {
  readonly seq: number
  readonly event_id: string
  readonly event_name: string
  readonly occurred_at: Date
  readonly env_id: string
  readonly actor: string
  readonly correlation_id: string
  readonly run_id: string | null
  readonly step_id: string | null
  readonly resource_type: string | null
  readonly resource_id: string | null
  readonly data: { readonly [key: string]: Json }
}

/** A page of the log, by number. */
export async function readEvents(sql: Executor, filter: EventFilter): Promise<LoggedEvent[]> {
  const rows = await sql<EventRow[]>`
    SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type, resource_id, data
    FROM events
    WHERE seq > ${filter.after ?? 0}
      ${filter.name === undefined ? sql`` : sql`AND event_name = ${filter.name}`}
      ${filter.runId === undefined ? sql`` : sql`AND run_id = ${filter.runId}`}
      ${filter.resource === undefined ? sql`` : sql`AND resource_type = ${filter.resource.type} AND resource_id = ${filter.resource.id}`}
      ${filter.correlationId === undefined ? sql`` : sql`AND correlation_id = ${filter.correlationId}`}
      ${filter.envId === undefined ? sql`` : sql`AND env_id = ${filter.envId}`}
    ORDER BY ${filter.order === 'desc' ? sql`seq DESC` : sql`seq`}
    LIMIT ${filter.limit}`
  return rows.map(loggedEvent)
}

export function loggedEvent(row: EventRow): LoggedEvent {
  return {
    seq: row.seq,
    event_id: row.event_id,
    event_name: row.event_name,
    occurred_at: row.occurred_at.toISOString(),
    env_id: row.env_id,
    actor: row.actor,
    correlation_id: row.correlation_id,
    run_id: row.run_id,
    step_id: row.step_id,
    resource: row.resource_type === null ? null : { type: row.resource_type, id: row.resource_id ?? '' },
    data: row.data,
  }
}

/** The last number given out (0 = none yet) and the chain's hash in lower-case hex. */
export async function logHead(sql: Executor): Promise<{ readonly seq: number; readonly hash: string }> {
  const [row] = await sql<{ seq: number; hash: string }[]>`SELECT seq, encode(hash, 'hex') AS hash FROM log_head`
  return row!
}

/** Whether a batch whose COMMIT was not answered is in the log. */
export async function isBatchCommitted(sql: Executor, writer: string, n: number): Promise<boolean> {
  return (await lastOfBatch(sql, writer, n)) !== null
}

/** The last number of a batch, or null when it is not in the log. */
export async function lastOfBatch(sql: Executor, writer: string, n: number): Promise<number | null> {
  const [row] = await sql<
    { last_seq: number }[]
  >`SELECT last_seq FROM log_batches WHERE writer = ${writer} AND n = ${n}`
  return row?.last_seq ?? null
}
