import type { Executor } from '../database.ts'
import { type TaskRow, taskColumns } from './tasks.ts'

export interface TaskPage {
  readonly namespace: string | null
  readonly agent: string | null
  readonly statuses: readonly TaskRow['status'][] | null
  /** Parts of that task. */
  readonly parent: string | null
  readonly runId: string | null
  /** Starts behind this task, newest first. */
  readonly after: { readonly createdAt: Date; readonly taskId: string } | null
  readonly limit: number
}

/** A page of tasks, the newest first. */
export async function pageTasks(sql: Executor, page: TaskPage): Promise<readonly TaskRow[]> {
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql)} FROM tasks
    WHERE true
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.agent === null ? sql`` : sql`AND agent = ${page.agent}`}
      ${page.statuses === null ? sql`` : sql`AND status = ANY(${[...page.statuses]})`}
      ${page.parent === null ? sql`` : sql`AND parent_task = ${page.parent}`}
      ${page.runId === null ? sql`` : sql`AND run_id = ${page.runId}`}
      ${page.after === null ? sql`` : sql`AND (created_at, task_id) < (${page.after.createdAt}, ${page.after.taskId}::uuid)`}
    ORDER BY created_at DESC, task_id DESC
    LIMIT ${page.limit}`
}

/** A page of tasks by namespace and id, as lists of objects go. */
export async function pageTasksById(
  sql: Executor,
  page: {
    readonly namespace: string | null
    readonly id: string | null
    readonly after: { readonly namespace: string; readonly id: string } | null
    readonly limit: number
  },
): Promise<readonly TaskRow[]> {
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql)} FROM tasks
    WHERE true
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.id === null ? sql`` : sql`AND task_id::text = ${page.id}`}
      ${page.after === null ? sql`` : sql`AND (namespace, task_id::text) > (${page.after.namespace}, ${page.after.id})`}
    ORDER BY namespace, task_id::text
    LIMIT ${page.limit}`
}

export async function tasksById(sql: Executor, ids: readonly string[]): Promise<readonly TaskRow[]> {
  return sql<TaskRow[]>`SELECT ${taskColumns(sql)} FROM tasks WHERE task_id = ANY(${[...ids]}::uuid[])`
}

/** Tasks whose id begins like this. */
export async function tasksByPrefix(sql: Executor, prefix: string, limit: number): Promise<readonly TaskRow[]> {
  const [from, to] = ['0', 'f'].map((digit) => paddedUuid(prefix, digit))
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql)} FROM tasks WHERE task_id BETWEEN ${from!}::uuid AND ${to!}::uuid
    ORDER BY created_at DESC LIMIT ${limit}`
}

/** `0198` with zeros is `01980000-0000-…`: the first, or with f the last, id that begins so. */
function paddedUuid(prefix: string, digit: string): string {
  const hex = prefix.replaceAll('-', '').padEnd(32, digit)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** The task that does another one again; null when there is none. */
export async function retryOfTask(sql: Executor, taskId: string): Promise<string | null> {
  const [row] = await sql<{ task_id: string }[]>`SELECT task_id FROM tasks WHERE retry_of = ${taskId}`
  return row?.task_id ?? null
}

/** Gives an open task to another agent as its next attempt. The row must be locked. */
export async function reassignTask(tx: Executor, taskId: string, agent: string): Promise<void> {
  await tx`
    UPDATE tasks SET status = 'queued', agent = ${agent}, attempt = attempt + CASE WHEN status = 'leased' THEN 1 ELSE 0 END,
           instance_id = NULL, lease_until = NULL, not_before = NULL
    WHERE task_id = ${taskId} AND status IN ('queued', 'leased')`
}

/** What was used for a task, beside what was reported before. */
export async function recordTaskUsage(
  tx: Executor,
  taskId: string,
  usage: { readonly tokens: number; readonly costNanoUsd: number },
): Promise<void> {
  await tx`
    UPDATE tasks SET tokens = tokens + ${usage.tokens}, cost_nano_usd = cost_nano_usd + ${usage.costNanoUsd}
    WHERE task_id = ${taskId}`
}

/** Queued and leased tasks of an agent. */
export async function openTasksOfAgent(
  sql: Executor,
  agent: { readonly namespace: string; readonly name: string },
): Promise<readonly TaskRow[]> {
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql)} FROM tasks
    WHERE namespace = ${agent.namespace} AND agent = ${agent.name} AND status IN ('queued', 'leased')
    ORDER BY created_at, task_id`
}

/** How many tasks wait, and how many are worked on. */
export async function countOpenTasks(
  sql: Executor,
): Promise<readonly { readonly state: 'queued' | 'leased'; readonly count: number }[]> {
  return sql<{ state: 'queued' | 'leased'; count: number }[]>`
    SELECT state, count(t.task_id) AS count FROM (VALUES ('queued'), ('leased')) AS known (state)
    LEFT JOIN tasks t ON t.status = known.state AND t.status IN ('queued', 'leased') GROUP BY state`
}

/** Names of the agents that were given tasks of a run. */
export async function agentsOfRun(sql: Executor, runId: string): Promise<string[]> {
  const rows = await sql<{ agent: string }[]>`SELECT DISTINCT agent FROM tasks WHERE run_id = ${runId} ORDER BY agent`
  return rows.map(({ agent }) => agent)
}
