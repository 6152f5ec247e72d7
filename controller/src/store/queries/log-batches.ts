import type { Executor } from '../database.ts'
import type { EventRow } from './events.ts'

export interface BatchRow {
  readonly writer: string
  readonly n: number
  readonly first_seq: number
  readonly last_seq: number
  readonly digest: Buffer
  readonly hash: Buffer
}

/** Batches in the order of the log. */
export async function readBatches(
  sql: Executor,
  page: { readonly after: number; readonly upto: number; readonly limit: number },
): Promise<BatchRow[]> {
  return sql<BatchRow[]>`
    SELECT writer, n, first_seq, last_seq, digest, hash FROM log_batches
    WHERE last_seq > ${page.after} AND last_seq <= ${page.upto} ORDER BY last_seq LIMIT ${page.limit}`
}

/** The last batches, or those below a number, the newest first. */
export async function lastBatches(
  sql: Executor,
  page: { readonly before: number | null; readonly limit: number },
): Promise<BatchRow[]> {
  return sql<BatchRow[]>`
    SELECT writer, n, first_seq, last_seq, digest, hash FROM log_batches
    ${page.before === null ? sql`` : sql`WHERE last_seq < ${page.before}`} ORDER BY last_seq DESC LIMIT ${page.limit}`
}

/** The first number whose partition still is there: retention drops whole partitions, the oldest first. */
export async function firstHeldSeq(sql: Executor): Promise<number> {
  const [row] = await sql<{ part: number | null }[]>`
    SELECT min(substring(relname FROM '^events_p([0-9]+)$')::bigint) AS part
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'events'::regclass`
  return Math.max(1, (row?.part ?? 0) * 1_000_000)
}

export async function readVerifiable(
  sql: Executor,
  page: { readonly after: number; readonly limit: number },
): Promise<(EventRow & { digest: Buffer })[]> {
  return sql<(EventRow & { digest: Buffer })[]>`
    SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id,
           resource_type, resource_id, data, digest
    FROM events WHERE seq > ${page.after} ORDER BY seq LIMIT ${page.limit}`
}
