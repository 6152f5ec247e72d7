import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

export interface SourceStanding {
  readonly name: string
  readonly ref: string | null
  readonly mode: string | null
  readonly attempted: string | null
  readonly applied: string | null
  readonly issues: number
  readonly ready: string | null
  readonly reason: string | null
  readonly message: string | null
  /** When it was last applied, or refused. */
  readonly synced_at: Date | null
}

/** Every source: what was read last, and what of it is applied. */
export async function sourceStandings(sql: Executor): Promise<readonly SourceStanding[]> {
  return sql<SourceStanding[]>`
    SELECT o.name, o.spec ->> 'ref' AS ref, o.spec ->> 'mode' AS mode,
      o.status ->> 'lastAttemptedRevision' AS attempted, o.status ->> 'lastAppliedRevision' AS applied,
      coalesce((o.status ->> 'issueCount')::integer, 0) AS issues,
      c.ready ->> 'status' AS ready, c.ready ->> 'reason' AS reason, c.ready ->> 'message' AS message, s.occurred_at AS synced_at
    FROM v_objects o
      LEFT JOIN LATERAL (
        SELECT each AS ready FROM jsonb_array_elements(o.status -> 'conditions') each WHERE each ->> 'type' = 'Ready' LIMIT 1
      ) c ON true
      LEFT JOIN LATERAL (
        SELECT occurred_at FROM sync_history h WHERE h.source = o.name ORDER BY h.seq DESC LIMIT 1
      ) s ON true
    WHERE o.kind = 'Source' AND o.deletion_timestamp IS NULL ORDER BY o.name`
}

export interface KindHealth {
  readonly kind: string
  readonly ready: number
  readonly not_ready: number
  readonly unknown: number
  readonly suspended: number
}

/** How many objects of each kind stand how. */
export async function healthByKind(sql: Executor): Promise<readonly KindHealth[]> {
  return sql<KindHealth[]>`
    SELECT o.kind,
      count(*) FILTER (WHERE c.ready = 'True')::integer AS ready,
      count(*) FILTER (WHERE c.ready = 'False')::integer AS not_ready,
      count(*) FILTER (WHERE c.ready IS NULL OR c.ready NOT IN ('True', 'False'))::integer AS unknown,
      count(*) FILTER (WHERE c.suspended = 'True')::integer AS suspended
    FROM v_objects o
      LEFT JOIN LATERAL (
        SELECT max(each ->> 'status') FILTER (WHERE each ->> 'type' = 'Ready') AS ready,
          max(each ->> 'status') FILTER (WHERE each ->> 'type' = 'Suspended') AS suspended
        FROM jsonb_array_elements(CASE jsonb_typeof(o.status -> 'conditions') WHEN 'array' THEN o.status -> 'conditions' ELSE '[]' END) each
      ) c ON true
    WHERE o.deletion_timestamp IS NULL GROUP BY o.kind ORDER BY o.kind`
}

export interface QueueCounts {
  readonly runs_running: number
  /** Nobody has taken them yet, and their time has come. */
  readonly runs_due: number
  readonly tasks_queued: number
  readonly tasks_leased: number
  readonly dead_letters: number
  readonly drifts: number
}

/** What there is to do at this moment. */
export async function queueCounts(sql: Executor, now: Date): Promise<QueueCounts> {
  const [row] = await sql<QueueCounts[]>`
    SELECT
      (SELECT count(*) FROM runs WHERE status = 'running')::integer AS runs_running,
      (SELECT count(*) FROM runs WHERE owner IS NULL AND status IN ('created', 'running') AND wake_at <= ${now})::integer AS runs_due,
      (SELECT count(*) FROM tasks WHERE status = 'queued')::integer AS tasks_queued,
      (SELECT count(*) FROM tasks WHERE status = 'leased')::integer AS tasks_leased,
      (SELECT count(*) FROM dead_letters)::integer AS dead_letters,
      (SELECT count(*) FROM drifts)::integer AS drifts`
  return row!
}

/** Pages of widgets as they are declared. */
export async function declaredDashboards(
  sql: Executor,
): Promise<readonly { readonly namespace: string; readonly name: string; readonly spec: JsonObject }[]> {
  return sql<{ namespace: string; name: string; spec: JsonObject }[]>`
    SELECT namespace, name, spec FROM v_objects
    WHERE kind = 'Dashboard' AND deletion_timestamp IS NULL ORDER BY namespace, name LIMIT 100`
}
