import type { Executor } from '../database.ts'

/** A process as those who look see it. */
export interface ProcessRow {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly roles: readonly string[]
  readonly version: string
  readonly started_at: Date
  /** What is left of its lease, by the database's clock; negative when it is over and nobody has taken over yet. */
  readonly lease_ms: number
  /** Names of the leases it holds: `controller`, `host/…`. */
  readonly leads: readonly string[]
  /** Runs it moves, and how many it may. */
  readonly runs: number
  readonly max_runs: number
  /** The head of the log at that moment. */
  readonly seq: number
}

/** Every process that is registered, the oldest first. */
export async function listProcesses(sql: Executor): Promise<ProcessRow[]> {
  return sql<ProcessRow[]>`
    SELECT w.id, w.host, w.pid, w.roles, w.version, w.started_at, w.max_runs,
           (extract(epoch FROM w.lease_until - clock_timestamp()) * 1000)::float8 AS lease_ms,
           ARRAY(SELECT name FROM leases WHERE writer = w.id ORDER BY name) AS leads,
           (SELECT count(*) FROM runs WHERE owner = w.id) AS runs, (SELECT seq FROM log_head) AS seq
    FROM writers w ORDER BY w.started_at, w.id`
}

/** Runs that are free and due at `now`: what workers have not come to. */
export async function countDueRuns(sql: Executor, now: Date): Promise<number> {
  const [row] = await sql<{ due: number }[]>`
    SELECT count(*) AS due FROM runs WHERE owner IS NULL AND status IN ('created', 'running') AND wake_at <= ${now}`
  return row!.due
}
