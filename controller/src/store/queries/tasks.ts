import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

type TaskStatus = 'queued' | 'leased' | 'completed' | 'failed' | 'cancelled'

/** Why a task failed, as its step shows it. */
export interface TaskError {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
}

export interface TaskRow {
  readonly task_id: string
  readonly namespace: string
  readonly agent: string
  readonly run_id: string | null
  readonly step_id: string | null
  readonly path: string | null
  /** Counts from 1; a PATCH of an older one comes too late. */
  readonly attempt: number
  readonly status: TaskStatus
  readonly prompt: string
  readonly inputs: JsonObject
  readonly output_schema: JsonObject | null
  readonly output: Json | null
  readonly error: TaskError | null
  /** Who has it, or had it last. */
  readonly instance_id: string | null
  /** null while a command has it: that one holds it as long as it lives. */
  readonly lease_until: Date | null
  readonly deadline: Date | null
  readonly keep_workspace: boolean
  readonly correlation_id: string
  readonly created_at: Date
  readonly completed_at: Date | null
  readonly created_by: string
  readonly parent_task: string | null
  /** The task that did not come off, and that this one does again. */
  readonly retry_of: string | null
  /** Tasks that are parts of it: all, those that ended, and of these those that did not complete. */
  readonly parts_total: number
  readonly parts_done: number
  readonly parts_failed: number
  readonly max_attempts: number
  /** Between a failure that may pass and the next attempt. */
  readonly retry_delay_ms: number
  readonly not_before: Date | null
  readonly leased_at: Date | null
  readonly tokens: number
  readonly cost_nano_usd: number
  /** Rows it is expected to read or write; null = nobody said, so they are few. */
  readonly expected_rows: number | null
}

/** From so many expected rows on a task is bulk work: it goes to hosts of the database alone. */
export const BULK_ROWS = 100

export type NewTask = Pick<
  TaskRow,
  | 'task_id'
  | 'namespace'
  | 'agent'
  | 'run_id'
  | 'step_id'
  | 'path'
  | 'prompt'
  | 'inputs'
  | 'output_schema'
  | 'deadline'
  | 'keep_workspace'
  | 'correlation_id'
  | 'created_at'
> &
  Partial<
    Pick<TaskRow, 'created_by' | 'parent_task' | 'retry_of' | 'max_attempts' | 'retry_delay_ms' | 'expected_rows'>
  >

export async function insertTask(tx: Executor, task: NewTask): Promise<void> {
  await tx`
    INSERT INTO tasks (task_id, namespace, agent, run_id, step_id, path, status, prompt, inputs, output_schema, deadline,
                       keep_workspace, correlation_id, created_at, created_by, parent_task, retry_of,
                       max_attempts, retry_delay_ms, expected_rows)
    VALUES (${task.task_id}, ${task.namespace}, ${task.agent}, ${task.run_id}, ${task.step_id}, ${task.path}, 'queued',
            ${task.prompt}, ${tx.json(task.inputs)}, ${task.output_schema === null ? null : tx.json(task.output_schema)},
            ${task.deadline}, ${task.keep_workspace}, ${task.correlation_id}, ${task.created_at},
            ${task.created_by ?? 'system:controller'}, ${task.parent_task ?? null}, ${task.retry_of ?? null},
            ${task.max_attempts ?? 3}, ${task.retry_delay_ms ?? 0}, ${task.expected_rows ?? null})`
}

export async function taskById(sql: Executor, taskId: string): Promise<TaskRow | null> {
  const [row] = await sql<TaskRow[]>`SELECT ${taskColumns(sql)} FROM tasks WHERE task_id = ${taskId}`
  return row ?? null
}

/** Tasks of a step, the newest first. */
export async function tasksOfRun(sql: Executor, runId: string): Promise<TaskRow[]> {
  return sql<
    TaskRow[]
  >`SELECT ${taskColumns(sql)} FROM tasks WHERE run_id = ${runId} ORDER BY created_at DESC, task_id DESC`
}

/**
 * Nobody paused or terminated the agent of the task at once, and its breaker is not open (half open, it has one task).
 * Asked in the statement that hands tasks out, whichever process sends it: from the commit of an override on, none is.
 */
function isNotStopped(sql: Executor, tasks: 't' | 'tasks') {
  return sql`NOT EXISTS (
    SELECT 1 FROM overrides o
    WHERE o.kind = 'Agent' AND o.namespace = ${sql(tasks)}.namespace AND o.name = ${sql(tasks)}.agent
      AND (o.path, o.value) IN (('/spec/suspend', 'true'::jsonb), ('/spec/replicas', '0'::jsonb)))
    AND NOT EXISTS (
      SELECT 1 FROM breakers b
      WHERE b.kind = 'Agent' AND b.namespace = ${sql(tasks)}.namespace AND b.name = ${sql(tasks)}.agent
        AND b.effect <> 'notify'
        AND (b.state = 'open' AND b.effect <> 'throttle' OR b.state <> 'closed' AND EXISTS (
          SELECT 1 FROM instances l JOIN tasks held ON held.instance_id = l.id AND held.status = 'leased'
          WHERE l.namespace = b.namespace AND l.agent = b.name AND l.ended_at IS NULL)))`
}

/** Leases the oldest queued tasks of a daemon's agent to it, if it still lives and is not stopping; nobody gets one twice. */
export async function leaseToDaemon(
  tx: Executor,
  lease: {
    readonly instanceId: string
    readonly max: number
    readonly until: Date
    readonly now: Date
    /** It runs on a host of the database. */
    readonly takesBulk: boolean
  },
): Promise<TaskRow[]> {
  const rows = await tx<TaskRow[]>`
    UPDATE tasks SET status = 'leased', instance_id = ${lease.instanceId}, lease_until = ${lease.until}, leased_at = ${lease.now}
    WHERE task_id IN (
      -- Inside, so that the queue is read in the order of its index and no further than needed, however long it is.
      SELECT q.task_id FROM instances i CROSS JOIN LATERAL (
        SELECT t.task_id FROM tasks t
        WHERE t.namespace = i.namespace AND t.agent = i.agent AND t.status = 'queued'
          AND (t.deadline IS NULL OR t.deadline > ${lease.now}) AND (t.not_before IS NULL OR t.not_before <= ${lease.now})
          AND (${lease.takesBulk}::boolean OR coalesce(t.expected_rows, 0) < ${BULK_ROWS}::integer) AND ${isNotStopped(tx, 't')}
        ORDER BY t.created_at, t.task_id
        LIMIT (SELECT CASE WHEN EXISTS (
          SELECT 1 FROM instances l JOIN breakers b ON b.kind = 'Agent' AND b.namespace = l.namespace AND b.name = l.agent
          WHERE l.id = ${lease.instanceId} AND b.effect <> 'notify' AND (b.state = 'half_open' OR b.state = 'open' AND b.effect = 'throttle')) THEN 1 ELSE ${lease.max}::integer END)
        FOR UPDATE SKIP LOCKED
      ) q
      WHERE i.id = ${lease.instanceId} AND i.state = 'running'
    )
    RETURNING ${taskColumns(tx)}`
  return rows.sort((a, b) => a.created_at.getTime() - b.created_at.getTime() || (a.task_id < b.task_id ? -1 : 1))
}

/** Locks the oldest queued task of an agent; null when there is none that nobody else takes at this moment. */
export async function nextQueuedTask(
  tx: Executor,
  agent: { readonly namespace: string; readonly name: string },
  now: Date,
  takesBulk: boolean,
): Promise<TaskRow | null> {
  const [row] = await tx<TaskRow[]>`
    SELECT ${taskColumns(tx)} FROM tasks
    WHERE namespace = ${agent.namespace} AND agent = ${agent.name} AND status = 'queued'
      AND (deadline IS NULL OR deadline > ${now}) AND (not_before IS NULL OR not_before <= ${now})
      AND (${takesBulk}::boolean OR coalesce(expected_rows, 0) < ${BULK_ROWS}::integer)
      AND ${isNotStopped(tx, 'tasks')}
    ORDER BY created_at, task_id LIMIT 1 FOR UPDATE SKIP LOCKED`
  return row ?? null
}

/** Gives a task to a command: no time limit, the command holds it as long as it lives. */
export async function leaseToCommand(tx: Executor, taskId: string, instanceId: string, now: Date): Promise<void> {
  await tx`
    UPDATE tasks SET status = 'leased', instance_id = ${instanceId}, lease_until = NULL, leased_at = ${now}
    WHERE task_id = ${taskId} AND status = 'queued'`
}

/** Extends the leases a daemon names; others run out. */
export async function renewLeases(
  tx: Executor,
  lease: { readonly instanceId: string; readonly taskIds: readonly string[]; readonly until: Date },
): Promise<void> {
  await tx`
    UPDATE tasks SET lease_until = ${lease.until}
    WHERE instance_id = ${lease.instanceId} AND status = 'leased' AND task_id = ANY(${[...lease.taskIds]}::uuid[])`
}

/** Gives a task back as if it had never been leased: its receiver went away before it could get it. */
export async function unlease(tx: Executor, taskIds: readonly string[], instanceId: string): Promise<void> {
  await tx`
    UPDATE tasks SET status = 'queued', instance_id = NULL, lease_until = NULL
    WHERE task_id = ANY(${[...taskIds]}::uuid[]) AND instance_id = ${instanceId} AND status = 'leased'`
}

/** Locks are taken in one order everywhere: the run first, its tasks after it. */
export async function lockRunOfTask(tx: Executor, runId: string): Promise<void> {
  await tx`SELECT 1 FROM runs WHERE run_id = ${runId} FOR NO KEY UPDATE`
}

/** A task with its row locked until the transaction ends. */
export async function lockTask(tx: Executor, taskId: string): Promise<TaskRow | null> {
  const [row] = await tx<TaskRow[]>`SELECT ${taskColumns(tx)} FROM tasks WHERE task_id = ${taskId} FOR UPDATE`
  return row ?? null
}

/** Ends a task that has not ended. The row must be locked. */
export async function endTask(
  tx: Executor,
  taskId: string,
  end:
    | { readonly status: 'completed'; readonly output: Json; readonly at: Date }
    | { readonly status: 'failed'; readonly error: TaskError; readonly at: Date }
    | { readonly status: 'cancelled'; readonly at: Date },
): Promise<void> {
  const output = end.status === 'completed' ? tx.json(end.output) : null
  const error = end.status === 'failed' ? tx.json({ ...end.error }) : null
  await tx`
    UPDATE tasks SET status = ${end.status}, output = ${output}, error = ${error}, completed_at = ${end.at}, lease_until = NULL
    WHERE task_id = ${taskId} AND status IN ('queued', 'leased')`
}

/** Back to the queue as the next attempt: whoever still works on the old one is not listened to any more. */
export async function requeueTask(tx: Executor, taskId: string, notBefore: Date | null = null): Promise<void> {
  await tx`
    UPDATE tasks SET status = 'queued', attempt = attempt + 1, instance_id = NULL, lease_until = NULL, not_before = ${notBefore}
    WHERE task_id = ${taskId} AND status = 'leased'`
}

/** Tasks that living or ended instances hold. */
export async function leasedTasks(sql: Executor, instanceIds: readonly string[]): Promise<TaskRow[]> {
  if (instanceIds.length === 0) return []
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql)} FROM tasks
    WHERE instance_id = ANY(${[...instanceIds]}::uuid[]) AND status = 'leased' ORDER BY created_at, task_id`
}

/** Leased tasks whose lease ran out, or whose holder has ended without giving them back. */
export async function lostTasks(sql: Executor, now: Date): Promise<TaskRow[]> {
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql, 't')} FROM tasks t JOIN instances i ON i.id = t.instance_id
    WHERE t.status = 'leased' AND (t.lease_until < ${now} OR i.ended_at IS NOT NULL)
    ORDER BY t.created_at, t.task_id LIMIT 100`
}

/** Queued tasks, and tasks that daemons have, whose deadline is over. A command's deadline is watched by who runs it. */
export async function overdueTasks(sql: Executor, now: Date): Promise<TaskRow[]> {
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql)} FROM tasks WHERE status = 'queued' AND deadline <= ${now}
    UNION ALL
    SELECT ${taskColumns(sql)} FROM tasks WHERE status = 'leased' AND lease_until IS NOT NULL AND deadline <= ${now}
    LIMIT 100`
}

/** Whether any task is queued or leased. */
export async function hasOpenTasks(sql: Executor): Promise<boolean> {
  const rows = await sql`
    (SELECT 1 FROM tasks WHERE status = 'queued' LIMIT 1) UNION ALL (SELECT 1 FROM tasks WHERE status = 'leased' LIMIT 1)`
  return rows.length > 0
}

/** Agents that have something to do. */
export async function agentsWithQueuedTasks(sql: Executor): Promise<{ namespace: string; agent: string }[]> {
  return sql<{ namespace: string; agent: string }[]>`
    SELECT DISTINCT namespace, agent FROM tasks WHERE status = 'queued'`
}

const COLUMNS = [
  'task_id',
  'namespace',
  'agent',
  'run_id',
  'step_id',
  'path',
  'attempt',
  'status',
  'prompt',
  'inputs',
  'output_schema',
  'output',
  'error',
  'instance_id',
  'lease_until',
  'deadline',
  'keep_workspace',
  'correlation_id',
  'created_at',
  'completed_at',
  'created_by',
  'parent_task',
  'retry_of',
  'parts_total',
  'parts_done',
  'parts_failed',
  'max_attempts',
  'retry_delay_ms',
  'not_before',
  'leased_at',
  'tokens',
  'cost_nano_usd',
  'expected_rows',
] as const

export function taskColumns(sql: Executor, table?: string) {
  return sql(table === undefined ? [...COLUMNS] : COLUMNS.map((name) => `${table}.${name}`))
}
