import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'
import type { NewRun, RunStatus } from '../journal/rows.ts'
import type { ParentKind } from './child-runs.ts'

export type { NewRun }

/** A run as it is stored, without what only the claim needs. */
export interface RunRow extends NewRun {
  readonly status: RunStatus
  readonly owner: string | null
  readonly wake_at: Date | null
  readonly signals: number
  readonly outputs: JsonObject | null
  readonly error: JsonObject | null
  readonly condition: JsonObject | null
  readonly started_at: Date | null
  readonly completed_at: Date | null
  readonly deadline: Date | null
  /** The run it follows from; null = none. */
  readonly parent_run: string | null
  readonly parent_kind: ParentKind | null
}

export interface RunParent {
  readonly runId: string
  readonly kind: ParentKind
}

const columns = (sql: Executor) => sql`
  run_id, namespace, name, blueprint_uid, blueprint, revision, plan_digest, status, owner, wake_at, signals, priority, trigger,
  trigger_event, dedupe_key, event, inputs, outputs, error, condition, actor, correlation_id, created_at, started_at,
  completed_at, deadline, parent_run, parent_kind`

/**
 * Inserts a run, free to be claimed at once. False when one of its unique keys is taken: its name, its trigger's event,
 * or its dedupe key (`findRunInTheWay` tells which).
 */
export async function insertRun(tx: Executor, run: NewRun, parent: RunParent | null = null): Promise<boolean> {
  const result = await tx`
    INSERT INTO runs (run_id, namespace, name, blueprint_uid, blueprint, revision, plan_digest, status, wake_at, priority,
                      trigger, trigger_event, dedupe_key, event, inputs, actor, correlation_id, created_at, parent_run,
                      parent_kind)
    VALUES (${run.run_id}, ${run.namespace}, ${run.name}, ${run.blueprint_uid}, ${run.blueprint}, ${run.revision},
            ${run.plan_digest}, 'created', ${run.created_at}, ${run.priority}, ${run.trigger}, ${run.trigger_event},
            ${run.dedupe_key}, ${run.event === null ? null : tx.json(run.event)}, ${tx.json(run.inputs)}, ${run.actor},
            ${run.correlation_id}, ${run.created_at}, ${parent?.runId ?? null}, ${parent?.kind ?? null})
    ON CONFLICT DO NOTHING`
  return result.count === 1
}

/** The run that has the same trigger event, else the same dedupe key, else the same name; null when nothing is in the way. */
export async function findRunInTheWay(
  tx: Executor,
  run: NewRun,
): Promise<{ readonly run_id: string; readonly name: string; readonly why: 'trigger' | 'dedupe' | 'name' } | null> {
  const rows = await tx<{ run_id: string; name: string; why: 'trigger' | 'dedupe' | 'name' }[]>`
    (SELECT run_id, name, 'trigger' AS why, 1 AS rank FROM runs
     WHERE blueprint_uid = ${run.blueprint_uid} AND trigger = ${run.trigger} AND trigger_event = ${run.trigger_event}::uuid)
    UNION ALL
    (SELECT run_id, name, 'dedupe', 2 FROM runs
     WHERE blueprint_uid = ${run.blueprint_uid} AND dedupe_key = ${run.dedupe_key}::text AND status IN ('created', 'running'))
    UNION ALL
    (SELECT run_id, name, 'name', 3 FROM runs WHERE namespace = ${run.namespace} AND name = ${run.name})
    ORDER BY rank LIMIT 1`
  return rows[0] ?? null
}

/** The run with a dedupe key that ended last, not before `since`. */
export async function findEndedRun(
  tx: Executor,
  key: { readonly blueprintUid: string; readonly dedupeKey: string; readonly since: Date },
): Promise<Pick<RunRow, 'run_id' | 'name' | 'trigger' | 'trigger_event'> | null> {
  const [run] = await tx<Pick<RunRow, 'run_id' | 'name' | 'trigger' | 'trigger_event'>[]>`
    SELECT run_id, name, trigger, trigger_event FROM runs
    WHERE blueprint_uid = ${key.blueprintUid} AND dedupe_key = ${key.dedupeKey} AND completed_at >= ${key.since}
    ORDER BY completed_at DESC LIMIT 1`
  return run ?? null
}

/** Takes free runs that are due, the most urgent first, and makes them this writer's. None when the writer is fenced off. */
export async function claimRuns(sql: Executor, writer: string, now: Date, limit: number): Promise<RunRow[]> {
  return sql<RunRow[]>`
    WITH held AS MATERIALIZED (
      SELECT id FROM writers WHERE id = ${writer} FOR KEY SHARE
    ), due AS MATERIALIZED (
      SELECT run_id AS due_id FROM runs
      WHERE owner IS NULL AND status IN ('created', 'running') AND wake_at <= ${now}
      ORDER BY priority DESC, wake_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE runs SET owner = held.id FROM due, held WHERE run_id = due_id
    RETURNING ${columns(sql)}`
}

/** Runs that are this writer's, but not among `known`: their claim was committed, and its answer lost. */
export async function strayRuns(sql: Executor, writer: string, known: readonly string[]): Promise<RunRow[]> {
  return sql<RunRow[]>`
    SELECT ${columns(sql)} FROM runs WHERE owner = ${writer} AND run_id <> ALL(${[...known]}::uuid[])`
}

/** Gives up runs of this writer, all without `runIds`. Whoever is free may claim them from `at` on. */
export async function releaseRuns(tx: Executor, writer: string, at: Date, runIds?: readonly string[]): Promise<number> {
  const result = await tx`
    UPDATE runs SET owner = NULL, wake_at = ${at} WHERE owner = ${writer}
      ${runIds === undefined ? tx`` : tx`AND run_id = ANY(${[...runIds]}::uuid[])`}`
  return result.count
}

/** When the next free run becomes due; null when none waits for a time. */
export async function nextWakeAt(sql: Executor): Promise<Date | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    SELECT min(wake_at) AS at FROM runs WHERE owner IS NULL AND status IN ('created', 'running')`
  return row!.at
}

/** How many runs of these blueprints are under way: running, or claimed and about to be. `except` are not counted. */
export async function countUnderWay(
  sql: Executor,
  blueprintUids: readonly string[],
  except: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql<{ blueprint_uid: string; count: number }[]>`
    SELECT blueprint_uid, count(*) AS count FROM runs
    WHERE blueprint_uid = ANY(${[...blueprintUids]}::uuid[]) AND status IN ('created', 'running')
      AND (status = 'running' OR owner IS NOT NULL) AND run_id <> ALL(${[...except]}::uuid[])
    GROUP BY blueprint_uid`
  return new Map(rows.map((row) => [row.blueprint_uid, row.count]))
}

/** The same by namespace. */
export async function countUnderWayIn(
  sql: Executor,
  namespaces: readonly string[],
  except: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql<{ namespace: string; count: number }[]>`
    SELECT namespace, count(*) AS count FROM runs
    WHERE namespace = ANY(${[...namespaces]}::text[]) AND status IN ('created', 'running')
      AND (status = 'running' OR owner IS NOT NULL) AND run_id <> ALL(${[...except]}::uuid[])
    GROUP BY namespace`
  return new Map(rows.map((row) => [row.namespace, row.count]))
}

/** Gives back runs that may not begin yet, with the reason, until `at`. */
export async function holdRuns(
  tx: Executor,
  writer: string,
  runIds: readonly string[],
  condition: JsonObject,
  at: Date,
): Promise<void> {
  await tx`
    UPDATE runs SET owner = NULL, wake_at = ${at}, condition = ${tx.json(condition)}
    WHERE owner = ${writer} AND run_id = ANY(${[...runIds]}::uuid[])`
}

/** Lets the next held run of a blueprint try again at `now`. */
export async function wakeHeldRun(tx: Executor, blueprintUid: string, now: Date): Promise<void> {
  await tx`
    UPDATE runs SET wake_at = ${now}
    WHERE run_id = (
      SELECT run_id FROM runs
      WHERE blueprint_uid = ${blueprintUid} AND status = 'created' AND owner IS NULL AND wake_at > ${now}
      ORDER BY priority DESC, created_at LIMIT 1 FOR UPDATE SKIP LOCKED)`
}

/** Null when there is none. */
export async function getRun(sql: Executor, runId: string): Promise<RunRow | null> {
  const [row] = await sql<RunRow[]>`SELECT ${columns(sql)} FROM runs WHERE run_id = ${runId}`
  return row ?? null
}
