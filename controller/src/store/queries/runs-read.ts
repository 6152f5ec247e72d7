import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'
import type { ChildRun, ParentKind } from './child-runs.ts'

export type RunStatus = 'created' | 'running' | 'completed' | 'failed' | 'cancelled'

/** A run as readers see it. */
export interface RunReadRow {
  readonly run_id: string
  readonly namespace: string
  readonly name: string
  readonly blueprint: string
  readonly revision: string
  readonly plan_digest: string
  readonly status: RunStatus
  readonly priority: number
  readonly trigger: string
  readonly inputs: JsonObject
  readonly outputs: JsonObject | null
  readonly error: JsonObject | null
  readonly condition: JsonObject | null
  readonly actor: string
  readonly correlation_id: string
  readonly created_at: Date
  readonly started_at: Date | null
  readonly completed_at: Date | null
  readonly deadline: Date | null
  /** The event that started it. */
  readonly trigger_event: string | null
  readonly parent_run: string | null
  readonly parent_kind: ParentKind | null
  /** Runs that follow from it, in the order they were made. */
  readonly children: readonly ChildRun[]
  /** Number of the newest event about it; 0 when none is held any more. */
  readonly seq: number
}

export interface StepReadRow {
  readonly step_id: string
  readonly run_id: string
  readonly path: string
  readonly attempt: number
  readonly kind: string
  readonly status: 'created' | 'running' | 'completed' | 'failed' | 'skipped'
  readonly inputs: Json
  readonly outputs: Json
  readonly error: JsonObject | null
  readonly condition: JsonObject | null
  readonly started_at: Date | null
  readonly completed_at: Date | null
  readonly next_attempt_at: Date | null
}

const columns = (sql: Executor) => sql`
  r.run_id, r.namespace, r.name, r.blueprint, r.revision, r.plan_digest, r.status, r.priority, r.trigger, r.inputs, r.outputs,
  r.error, r.condition, r.actor, r.correlation_id, r.created_at, r.started_at, r.completed_at, r.deadline,
  r.parent_run, r.parent_kind, r.trigger_event,
  coalesce((
    SELECT jsonb_agg(jsonb_build_object('run_id', c.run_id, 'name', c.name, 'parent_kind', c.parent_kind, 'status', c.status,
      'inputs', CASE WHEN c.parent_kind = 'rollback' THEN c.inputs ELSE '{}' END) ORDER BY c.created_at, c.run_id)
    FROM runs c WHERE c.parent_run = r.run_id), '[]') AS children,
  coalesce((SELECT e.seq FROM events e WHERE e.run_id = r.run_id ORDER BY e.seq DESC LIMIT 1), 0) AS seq`

export interface RunPage {
  readonly namespace: string | null
  /** Its name, or the id its older format had. */
  readonly blueprint: string | null
  readonly statuses: readonly RunStatus[] | null
  readonly since: Date | null
  readonly waitsForApproval: boolean
  /** A part of its name or blueprint, in any case, or the beginning of its id. */
  readonly text?: string | null
  /** Exact, or with `*`. */
  readonly trigger?: string | null
  readonly actor?: string | null
  readonly correlationId?: string | null
  /** The event that started it. */
  readonly event?: string | null
  /** The commit it is pinned to. */
  readonly revision?: string | null
  /** Starts behind this run, newest first. */
  readonly after: { readonly createdAt: Date; readonly runId: string } | null
  readonly limit: number
}

/** A page of runs, the newest first. */
export async function pageRuns(sql: Executor, page: RunPage): Promise<readonly RunReadRow[]> {
  return sql<RunReadRow[]>`
    SELECT ${columns(sql)} FROM v_runs r
    WHERE true ${matching(sql, page)}
      ${page.after === null ? sql`` : sql`AND (r.created_at, r.run_id) < (${page.after.createdAt}, ${page.after.runId}::uuid)`}
    ORDER BY r.created_at DESC, r.run_id DESC
    LIMIT ${page.limit}`
}

/** How many runs there are of each status, and how many of them wait for the decision of a person. */
export async function countRuns(
  sql: Executor,
  filter: Omit<RunPage, 'after' | 'limit'>,
): Promise<readonly { readonly status: RunStatus; readonly count: number; readonly waiting: number }[]> {
  return sql<{ status: RunStatus; count: number; waiting: number }[]>`
    SELECT r.status, count(*) AS count,
           count(*) FILTER (WHERE EXISTS (SELECT FROM gates g WHERE g.run_id = r.run_id AND g.state = 'waiting')) AS waiting
    FROM v_runs r WHERE true ${matching(sql, filter)} GROUP BY r.status`
}

function matching(sql: Executor, page: Omit<RunPage, 'after' | 'limit'>) {
  const like = page.text == null ? null : page.text.replaceAll(/[\\%_]/g, '\\$&')
  return sql`
      ${page.namespace === null ? sql`` : sql`AND r.namespace = ${page.namespace}`}
      ${page.blueprint === null ? sql`` : sql`AND ${isOfBlueprint(sql, page.blueprint)}`}
      ${page.statuses === null ? sql`` : sql`AND r.status = ANY(${[...page.statuses]})`}
      ${page.since === null ? sql`` : sql`AND r.created_at >= ${page.since}`}
      ${page.waitsForApproval ? sql`AND EXISTS (SELECT FROM gates g WHERE g.run_id = r.run_id AND g.state = 'waiting')` : sql``}
      ${like === null ? sql`` : sql`AND (r.name ILIKE ${`%${like}%`} OR r.blueprint ILIKE ${`%${like}%`} OR r.run_id::text LIKE ${`${like.toLowerCase()}%`})`}
      ${page.trigger == null ? sql`` : sql`AND r.trigger LIKE ${page.trigger.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%')}`}
      ${page.actor == null ? sql`` : sql`AND r.actor = ${page.actor}`}
      ${page.correlationId == null ? sql`` : sql`AND r.correlation_id = ${page.correlationId}`}
      ${page.event == null ? sql`` : sql`AND r.trigger_event = ${page.event}`}
      ${page.revision == null ? sql`` : sql`AND r.revision = ${page.revision}`}`
}

const isOfBlueprint = (sql: Executor, ref: string) => sql`
  (r.blueprint = ${ref} OR EXISTS (
    SELECT FROM v_objects o
    WHERE o.kind = 'Blueprint' AND o.namespace = r.namespace AND o.name = r.blueprint
      AND o.annotations ->> 'stateward.dev/v0-id' = ${ref}))`

/** A page of runs by namespace and name. */
export async function pageRunsByName(
  sql: Executor,
  page: {
    readonly namespace: string | null
    readonly name: string | null
    readonly after: { readonly namespace: string; readonly name: string } | null
    readonly limit: number
  },
): Promise<readonly RunReadRow[]> {
  return sql<RunReadRow[]>`
    SELECT ${columns(sql)} FROM v_runs r
    WHERE true
      ${page.namespace === null ? sql`` : sql`AND r.namespace = ${page.namespace}`}
      ${page.name === null ? sql`` : sql`AND r.name = ${page.name}`}
      ${page.after === null ? sql`` : sql`AND (r.namespace, r.name) > (${page.after.namespace}, ${page.after.name})`}
    ORDER BY r.namespace, r.name
    LIMIT ${page.limit}`
}

export async function runsById(sql: Executor, ids: readonly string[]): Promise<readonly RunReadRow[]> {
  return sql<RunReadRow[]>`SELECT ${columns(sql)} FROM v_runs r WHERE r.run_id = ANY(${[...ids]}::uuid[])`
}

/** Runs a reference could mean, at most `limit`: by name, else by the beginning of name or id. `exact` tells which. */
export async function runsByReference(
  sql: Executor,
  ref: { readonly text: string; readonly namespace: string | null; readonly limit: number },
): Promise<readonly (RunReadRow & { readonly exact: boolean })[]> {
  const prefix = `${ref.text.replaceAll(/[\\%_]/g, '\\$&')}%`
  return sql<(RunReadRow & { exact: boolean })[]>`
    SELECT ${columns(sql)}, r.name = ${ref.text} AS exact FROM v_runs r
    WHERE (r.name LIKE ${prefix} OR r.run_id::text LIKE ${prefix})
      ${ref.namespace === null ? sql`` : sql`AND r.namespace = ${ref.namespace}`}
    ORDER BY r.name = ${ref.text} DESC, r.created_at DESC
    LIMIT ${ref.limit}`
}

/**
 * The steps of a run that have a row, by path: the newest attempt of each, or all of them in order. Inputs and outputs are
 * null unless `values` asks for them.
 */
export async function stepsOfRun(
  sql: Executor,
  runId: string,
  { values, allAttempts }: { readonly values: boolean; readonly allAttempts: boolean },
): Promise<readonly StepReadRow[]> {
  return sql<StepReadRow[]>`
    SELECT ${allAttempts ? sql`` : sql`DISTINCT ON (path)`}
      step_id, run_id, path, attempt, kind, status, error, condition, started_at, completed_at, next_attempt_at,
      ${values ? sql`inputs, outputs` : sql`NULL AS inputs, NULL AS outputs`}
    FROM steps WHERE run_id = ${runId} ORDER BY path, attempt ${allAttempts ? sql`` : sql`DESC`}`
}

export async function planOfRun(sql: Executor, digest: string): Promise<CompiledPlan | null> {
  const [row] = await sql<{ plan: CompiledPlan }[]>`SELECT plan FROM compiled_plans WHERE digest = ${digest}`
  return row?.plan ?? null
}
