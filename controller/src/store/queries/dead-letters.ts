import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** Something that could not be done, and what became of it since. */
export interface DeadLetter {
  /** Of the event that tells of the refusal, or of the run. */
  readonly dead_letter_id: string
  readonly kind: 'trigger' | 'run'
  readonly namespace: string
  readonly blueprint_uid: string
  /** Null for a run that brought its own plan. */
  readonly blueprint: string | null
  readonly trigger: string
  /** The event that asked for the run; null when a person did. */
  readonly event_id: string | null
  readonly run_id: string | null
  readonly run: string | null
  /** The step that failed. */
  readonly path: string | null
  readonly attempts: number
  readonly error: JsonObject
  readonly correlation_id: string
  readonly occurred_at: Date
  readonly requeued_run_id: string | null
  readonly requeued_by: string | null
  readonly requeued_at: Date | null
}

export interface DeadLetterPage {
  readonly namespace: string | null
  /** Those that somebody has requeued; else those nobody has. */
  readonly requeued: boolean
  readonly after: { readonly occurredAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageDeadLetters(sql: Executor, page: DeadLetterPage): Promise<DeadLetter[]> {
  return sql<DeadLetter[]>`
    SELECT * FROM dead_letters
    WHERE requeued_at IS ${page.requeued ? sql`NOT NULL` : sql`NULL`}
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.after === null ? sql`` : sql`AND (occurred_at, dead_letter_id) < (${page.after.occurredAt}, ${page.after.id})`}
    ORDER BY occurred_at DESC, dead_letter_id DESC LIMIT ${page.limit}`
}

export async function deadLetter(sql: Executor, id: string): Promise<DeadLetter | null> {
  const [row] = await sql<DeadLetter[]>`SELECT * FROM dead_letters WHERE dead_letter_id = ${id}`
  return row ?? null
}

/** False when somebody has requeued it before. */
export async function insertRequeue(
  tx: Executor,
  row: { readonly dead_letter_id: string; readonly run_id: string; readonly actor: string; readonly requeued_at: Date },
): Promise<boolean> {
  const { count } = await tx`INSERT INTO dead_letter_requeues ${tx(row)} ON CONFLICT DO NOTHING`
  return count === 1
}

export interface RecoveryStats {
  /** Attempts after the first. */
  readonly retried: number
  /** Calls that were taken up again after their process had died. */
  readonly resumed: number
  /** Calls whose outcome nobody knew after that, and that waited for a person. */
  readonly quarantined: number
  /** Runs that were rolled back. */
  readonly compensated: number
  readonly dead: number
  readonly requeued: number
  /** Mean time from the first failure of a step to its success, in ms; null when no step ever recovered. */
  readonly mttr_ms: number | null
}

/** What was recovered since a time, as far as it is still held. */
export async function recoveryStats(sql: Executor, since: Date): Promise<RecoveryStats> {
  const events = (name: string) =>
    sql`(SELECT count(*)::integer FROM events WHERE event_name = ${name} AND occurred_at >= ${since})`
  const [row] = await sql<RecoveryStats[]>`
    SELECT (SELECT count(*)::integer FROM steps WHERE attempt > 1 AND started_at >= ${since}) AS retried,
           ${events('stateward.run.step.resumed')} AS resumed,
           ${events('stateward.run.step.quarantined')} AS quarantined,
           (SELECT count(*)::integer FROM runs WHERE parent_kind = 'rollback' AND status = 'completed' AND completed_at >= ${since}) AS compensated,
           (SELECT count(*)::integer FROM dead_letters WHERE requeued_at IS NULL AND occurred_at >= ${since}) AS dead,
           (SELECT count(*)::integer FROM dead_letter_requeues WHERE requeued_at >= ${since}) AS requeued,
           (SELECT round(avg(extract(epoch FROM done.completed_at - first.completed_at)) * 1000)::float8
            FROM steps done JOIN steps first ON first.run_id = done.run_id AND first.path = done.path AND first.attempt = 1
            WHERE done.attempt > 1 AND done.status = 'completed' AND done.completed_at >= ${since}) AS mttr_ms`
  return row!
}
