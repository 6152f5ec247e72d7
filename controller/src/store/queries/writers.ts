import type { Executor } from '../database.ts'
import { wakeText } from '../wake-text.ts'
import { WAKE_CHANNEL } from './wakes.ts'

export interface WriterRow {
  readonly id: string
  readonly host: string
  readonly boot_id: string
  readonly pid_namespace: string
  readonly pid: number
  readonly pid_start: string
  readonly roles: readonly string[]
  readonly lease_until: Date
}

/** Leases compare the database's own clock only: machines may disagree about the time, and sleep. */
export async function insertWriter(
  sql: Executor,
  row: {
    readonly id: string
    readonly host: string
    readonly bootId: string
    readonly pidNamespace: string
    readonly pid: number
    readonly pidStart: string
    readonly roles: readonly string[]
    readonly leaseMs: number
    readonly maxRuns: number
    readonly version: string
  },
): Promise<void> {
  await sql`
    INSERT INTO writers (id, host, boot_id, pid_namespace, pid, pid_start, roles, max_runs, version, lease_until)
    VALUES (${row.id}, ${row.host}, ${row.bootId}, ${row.pidNamespace}, ${row.pid}, ${row.pidStart}, ${[...row.roles]}::text[],
            ${row.maxRuns}, ${row.version}, clock_timestamp() + ${row.leaseMs} * interval '1 millisecond')`
}

export async function listWriters(sql: Executor): Promise<WriterRow[]> {
  return sql<WriterRow[]>`
    SELECT id, host, boot_id, pid_namespace, pid, pid_start, roles, lease_until FROM writers ORDER BY id`
}

/** How the other processes stand. */
export interface Peers {
  readonly count: number
  /** When the first of their leases ends if it is not renewed, in milliseconds; 0 or less = it has ended. Null: no others. */
  readonly expireInMs: number | null
}

/** Null when the row is gone, else how the others stand. */
export async function extendLease(sql: Executor, id: string, leaseMs: number): Promise<Peers | null> {
  const [row] = await sql<{ held: boolean; others: number; expire_in: number | null }[]>`
    WITH mine AS (
      UPDATE writers SET lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond' WHERE id = ${id} RETURNING 1
    )
    SELECT EXISTS (SELECT FROM mine) AS held, count(*) FILTER (WHERE id <> ${id}) AS others,
           (extract(epoch FROM min(lease_until) FILTER (WHERE id <> ${id}) - clock_timestamp()) * 1000)::float8 AS expire_in
    FROM writers`
  return row!.held ? { count: row!.others, expireInMs: row!.expire_in } : null
}

/**
 * The fence. The lock makes a takeover (a DELETE) wait until this transaction ended, and a transaction that comes after
 * the takeover finds no row. KEY SHARE, because it does not stand in the way of the own renewal: with SHARE a steady
 * stream of overlapping batches would keep the UPDATE of the lease waiting until the lease is over.
 */
export async function lockWriter(sql: Executor, id: string): Promise<boolean> {
  const rows = await sql`SELECT 1 FROM writers WHERE id = ${id} FOR KEY SHARE`
  return rows.length === 1
}

/** Waits for batches in flight of those writers, and tells the other processes. Returns the ids deleted. */
export async function deleteExpiredWriters(sql: Executor, me: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    WITH gone AS (DELETE FROM writers WHERE id <> ${me} AND lease_until < clock_timestamp() RETURNING id)
    SELECT id, pg_notify(${WAKE_CHANNEL}, ${wakeText(me, { kind: 'left' })}) FROM gone`
  return rows.map((row) => row.id)
}

/** Deletes rows, the own one among them, and tells the other processes: what they held is free. */
export async function deleteWriters(sql: Executor, me: string, ids: readonly string[]): Promise<void> {
  await sql`
    WITH gone AS (DELETE FROM writers WHERE id = ANY(${[...ids]}::uuid[]) RETURNING 1)
    SELECT pg_notify(${WAKE_CHANNEL}, ${wakeText(me, { kind: 'left' })}) FROM gone`
}
