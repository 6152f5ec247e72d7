import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

export const JOB_STATES = ['pending', 'claimed', 'waiting', 'done', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]
export const JOB_KINDS = ['run', 'task'] as const
export type JobKind = (typeof JOB_KINDS)[number]

/** Something that is to be done by whoever is free: a run, or a task of an agent. */
export interface Job {
  readonly job_id: string
  readonly kind: JobKind
  readonly namespace: string
  /** Of a run. */
  readonly name: string | null
  /** The blueprint, or the agent. */
  readonly target: string | null
  /** The run it is, or that it is part of. */
  readonly run_id: string | null
  readonly state: JobState
  readonly attempts: number
  /** The process or the instance that has it. */
  readonly holder: string | null
  readonly error: JsonObject | null
  readonly correlation_id: string
  readonly created_at: Date
  readonly completed_at: Date | null
}

/** A run that nobody moves, and that nobody may claim before something comes, waits. */
const ofRuns = (sql: Executor) => sql`
  SELECT r.run_id AS job_id, 'run' AS kind, r.namespace, r.name, nullif(r.blueprint, '') AS target, r.run_id,
    CASE WHEN r.status = 'completed' THEN 'done' WHEN r.status IN ('failed', 'cancelled') THEN r.status
         WHEN r.owner IS NOT NULL THEN 'claimed'
         WHEN r.status = 'created' OR r.condition ->> 'reason' = 'QuotaExceeded' THEN 'pending' ELSE 'waiting' END AS state,
    1 AS attempts, r.owner::text AS holder, r.error, r.correlation_id, r.created_at, r.completed_at
  FROM runs r`

const ofTasks = (sql: Executor) => sql`
  SELECT t.task_id AS job_id, 'task' AS kind, t.namespace, NULL AS name, t.agent AS target, t.run_id,
    CASE t.status WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'claimed' WHEN 'completed' THEN 'done' ELSE t.status END AS state,
    t.attempt AS attempts, t.instance_id::text AS holder, t.error, t.correlation_id, t.created_at, t.completed_at
  FROM tasks t`

export interface JobPage {
  readonly namespace: string | null
  readonly kind: JobKind | null
  readonly state: JobState | null
  readonly after: { readonly createdAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. Each half is limited by itself, so that both are read along their index. */
export async function pageJobs(sql: Executor, page: JobPage): Promise<readonly Job[]> {
  const half = (source: ReturnType<typeof ofRuns>) => sql`
    (SELECT * FROM (${source}) j WHERE true
      ${page.namespace === null ? sql`` : sql`AND j.namespace = ${page.namespace}`}
      ${page.state === null ? sql`` : sql`AND j.state = ${page.state}`}
      ${page.after === null ? sql`` : sql`AND (j.created_at, j.job_id) < (${page.after.createdAt}, ${page.after.id}::uuid)`}
     ORDER BY j.created_at DESC, j.job_id DESC LIMIT ${page.limit})`
  const runs = half(ofRuns(sql))
  const tasks = half(ofTasks(sql))
  const both = page.kind === 'run' ? runs : page.kind === 'task' ? tasks : sql`${runs} UNION ALL ${tasks}`
  return sql<Job[]>`
    SELECT * FROM (${both}) jobs ORDER BY created_at DESC, job_id DESC LIMIT ${page.limit}`
}

export async function jobById(sql: Executor, id: string): Promise<Job | null> {
  const [job] = await sql<Job[]>`
    SELECT * FROM (${ofRuns(sql)}) r WHERE job_id = ${id} UNION ALL SELECT * FROM (${ofTasks(sql)}) t WHERE job_id = ${id}`
  return job ?? null
}
