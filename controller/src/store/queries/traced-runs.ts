import type { Executor } from '../database.ts'

/** What traces tell of a run. */
export interface TracedRun {
  readonly run_id: string
  readonly namespace: string
  readonly name: string
  readonly blueprint: string
  readonly revision: string
  readonly trigger: string
  readonly correlation_id: string
  readonly created_at: Date
  readonly started_at: Date | null
}

/** An attempt of a step, with the tool it called or the agent that worked on it. */
export interface TracedStep {
  readonly run_id: string
  readonly path: string
  readonly attempt: number
  readonly started_at: Date | null
  readonly tool: string | null
  readonly agent: string | null
}

/** A task that belongs to no step. */
export interface TracedTask {
  readonly task_id: string
  readonly agent: string
  readonly attempt: number
  readonly parent_task: string | null
  readonly created_at: Date
}

export async function tracedRuns(sql: Executor, ids: readonly string[]): Promise<TracedRun[]> {
  if (ids.length === 0) return []
  return await sql<TracedRun[]>`
    SELECT run_id, namespace, name, blueprint, revision, trigger, correlation_id, created_at, started_at
    FROM runs WHERE run_id = ANY(${[...ids]}::uuid[])`
}

export async function tracedSteps(sql: Executor, runIds: readonly string[]): Promise<TracedStep[]> {
  if (runIds.length === 0) return []
  return await sql<TracedStep[]>`
    SELECT s.run_id, s.path, s.attempt, s.started_at, e.tool, t.agent
    FROM steps s
    LEFT JOIN effects e ON e.run_id = s.run_id AND e.path = s.path AND e.attempt = s.attempt
    LEFT JOIN LATERAL (
      SELECT agent FROM tasks WHERE tasks.run_id = s.run_id AND tasks.path = s.path ORDER BY created_at DESC LIMIT 1
    ) t ON s.kind = 'agent_task'
    WHERE s.run_id = ANY(${[...runIds]}::uuid[])`
}

export async function tracedTasks(sql: Executor, ids: readonly string[]): Promise<TracedTask[]> {
  if (ids.length === 0) return []
  return await sql<TracedTask[]>`
    SELECT task_id, agent, attempt, parent_task, created_at FROM tasks WHERE task_id = ANY(${[...ids]}::uuid[]) AND run_id IS NULL`
}
