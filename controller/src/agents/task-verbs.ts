import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { addPart } from '../store/queries/task-parts.ts'
import { insertTask, lockTask, type NewTask, type TaskRow } from '../store/queries/tasks.ts'
import { reassignTask, retryOfTask } from '../store/queries/tasks-read.ts'
import type { Store } from '../store/store.ts'
import { taskEvent } from './events.ts'
import { schemaProblem } from './task-outcome.ts'
import { cancelTask, isOpen } from './tasks.ts'

/**
 * What people and agents do with tasks besides working on them. Every function does all its work in the transaction it is
 * given, events included; what is to be announced after the commit is in its answer.
 */

/** More parts than this a task does not have. */
const MAX_PARTS = 1000

/** Who asks. `instanceId` is set when an agent does: it may only have parts of tasks that it holds done. */
export interface TaskCaller {
  readonly actor: string
  readonly correlationId: string
  readonly instanceId: string | null
}

export interface TaskRequest {
  readonly namespace: string
  readonly agent: string
  readonly prompt: string
  readonly inputs: JsonObject
  readonly outputSchema: JsonObject | null
  readonly deadline: Date | null
  readonly parentTaskId: string | null
  readonly maxAttempts: number
  readonly retryDelayMs: number
  readonly keepWorkspace: boolean
  readonly expectedRows: number | null
}

/** What a verb did: the task as it is now, the log's end, and whose command or queue is concerned. */
export interface TaskChanged {
  readonly task: TaskRow
  readonly lastSeq: number
  /** This agent has something in its queue. */
  readonly queue: { readonly namespace: string; readonly agent: string } | null
}

export interface TaskVerbDeps {
  readonly store: Store
  /** Whether such an agent is declared. */
  readonly hasAgent: (namespace: string, name: string) => boolean
}

/** SW_NOT_FOUND: no such agent or parent. SW_CONFLICT: the parent has ended. SW_FORBIDDEN: it is not the agent's own. */
export async function createTask(
  tx: Tx,
  deps: TaskVerbDeps,
  request: TaskRequest,
  caller: TaskCaller,
): Promise<TaskChanged> {
  const { store } = deps
  const now = store.clock.now()
  assertAgent(deps, request.namespace, request.agent)
  if (request.deadline !== null && request.deadline <= now) throw fail('SW_BAD_REQUEST', 'deadline is in the past')
  const problem = request.outputSchema === null ? null : schemaProblem(request.outputSchema)
  if (problem !== null) throw fail('SW_VALIDATION_FAILED', `output_schema is no JSON Schema: ${problem}`)
  if (request.parentTaskId !== null) await joinParent(tx, request.parentTaskId, request.namespace, caller)
  else if (caller.instanceId !== null)
    throw fail('SW_FORBIDDEN', 'an agent may only have parts of its own tasks done: send parent_task_id')
  const task = await inserted(tx, {
    ...newTask(request, caller, now),
    output_schema: request.outputSchema,
    keep_workspace: request.keepWorkspace,
    parent_task: request.parentTaskId,
    max_attempts: request.maxAttempts,
    retry_delay_ms: request.retryDelayMs,
    expected_rows: request.expectedRows,
  })
  const event = taskEvent('created', task, now, { parent_task_id: task.parent_task }, caller.actor)
  const { lastSeq } = await appendEvents(tx, store, [event])
  return { task, lastSeq, queue: task }
}

async function joinParent(tx: Tx, parentId: string, namespace: string, caller: TaskCaller): Promise<void> {
  const parent = await lockTask(tx, parentId)
  // Of a task that is not its own an agent does not even learn whether it exists.
  if (caller.instanceId !== null && parent?.instance_id !== caller.instanceId)
    throw fail('SW_FORBIDDEN', `task ${parentId} is not leased to this instance`)
  if (parent === null || parent.namespace !== namespace)
    throw fail('SW_NOT_FOUND', `there is no task ${parentId} in namespace ${namespace}`)
  if (!isOpen(parent)) throw fail('SW_CONFLICT', `task ${parentId} is ${parent.status}: it gets no more parts`)
  if (parent.parts_total >= MAX_PARTS) throw fail('SW_CONFLICT', `task ${parentId} has ${MAX_PARTS} parts already`)
  await addPart(tx, parentId)
}

/** Cancelling a cancelled task is no error. SW_CONFLICT when it ended otherwise, or belongs to a run. */
export async function cancelTaskOf(
  tx: Tx,
  deps: TaskVerbDeps,
  taskId: string,
  caller: TaskCaller,
): Promise<TaskChanged> {
  const task = await ownTask(tx, taskId)
  if (task.status === 'cancelled') return { task, lastSeq: 0, queue: null }
  const change = await cancelTask(tx, deps.store, taskId, caller.actor)
  if (change.events.length === 0) throw fail('SW_CONFLICT', `task ${taskId} is ${task.status}`)
  const { lastSeq } = await appendEvents(tx, deps.store, change.events)
  return { task: await existing(tx, taskId), lastSeq, queue: null }
}

/**
 * Asks again for what failed or was cancelled: a task of its own, since what ended stays ended; once for each. A part takes
 * its place beside the part it repeats. SW_CONFLICT when it is open or completed, was asked again before, or belongs to a run.
 */
export async function retryTask(
  tx: Tx,
  deps: TaskVerbDeps,
  request: { readonly taskId: string; readonly agent: string | null; readonly deadline: Date | null },
  caller: TaskCaller,
): Promise<TaskChanged> {
  const { store } = deps
  const now = store.clock.now()
  const ended = await ownTask(tx, request.taskId)
  const agent = request.agent ?? ended.agent
  assertAgent(deps, ended.namespace, agent)
  if (ended.status !== 'failed' && ended.status !== 'cancelled')
    throw fail(
      'SW_CONFLICT',
      `task ${ended.task_id} is ${ended.status}: only what failed or was cancelled is tried again`,
    )
  const before = await retryOfTask(tx, ended.task_id)
  if (before !== null) throw fail('SW_CONFLICT', `task ${ended.task_id} goes on as ${before}`)
  if (request.deadline !== null && request.deadline <= now) throw fail('SW_BAD_REQUEST', 'deadline is in the past')
  // A deadline that is over would end it at once.
  const deadline = request.deadline ?? (ended.deadline !== null && ended.deadline > now ? ended.deadline : null)
  if (ended.parent_task !== null) await joinParent(tx, ended.parent_task, ended.namespace, caller)
  const { task_id: retry_of, output_schema, keep_workspace, max_attempts, retry_delay_ms, expected_rows } = ended
  const task = await inserted(tx, {
    ...newTask({ ...ended, agent, deadline }, caller, now),
    ...{ output_schema, keep_workspace, max_attempts, retry_delay_ms, expected_rows },
    ...{ retry_of, parent_task: ended.parent_task },
  })
  const { lastSeq } = await appendEvents(tx, store, [
    taskEvent('retried', ended, now, { retry_task_id: task.task_id }, caller.actor),
    taskEvent('created', task, now, { parent_task_id: task.parent_task }, caller.actor),
  ])
  return { task, lastSeq, queue: task }
}

function newTask(
  of: Pick<TaskRow, 'namespace' | 'agent' | 'prompt' | 'inputs' | 'deadline'>,
  { actor, correlationId }: TaskCaller,
  now: Date,
) {
  const { namespace, agent, prompt, inputs, deadline } = of
  return {
    ...{ namespace, agent, prompt, inputs, deadline },
    task_id: uuidv7(now.getTime()),
    run_id: null,
    step_id: null,
    path: null,
    correlation_id: correlationId,
    created_at: now,
    created_by: actor,
  }
}

async function inserted(tx: Tx, task: NewTask): Promise<TaskRow> {
  await insertTask(tx, task)
  return existing(tx, task.task_id)
}

/** Gives an open task to another agent; whoever works on it is not listened to any more. */
export async function reassignTaskTo(
  tx: Tx,
  deps: TaskVerbDeps,
  request: { readonly taskId: string; readonly agent: string },
  caller: TaskCaller,
): Promise<TaskChanged> {
  const task = await ownTask(tx, request.taskId)
  assertAgent(deps, task.namespace, request.agent)
  if (!isOpen(task)) throw fail('SW_CONFLICT', `task ${task.task_id} is ${task.status}`)
  if (task.agent === request.agent) return { task, lastSeq: 0, queue: null }
  await reassignTask(tx, task.task_id, request.agent)
  const given = await existing(tx, task.task_id)
  const event = taskEvent('reassigned', given, deps.store.clock.now(), { from_agent: task.agent }, caller.actor)
  const { lastSeq } = await appendEvents(tx, deps.store, [event])
  return { task: given, lastSeq, queue: given }
}

/** A task that people may change: not one of a run, which its step looks after. */
async function ownTask(tx: Tx, taskId: string): Promise<TaskRow> {
  const task = await lockTask(tx, taskId)
  if (task === null) throw fail('SW_NOT_FOUND', `there is no task ${taskId}`)
  if (task.run_id !== null)
    throw fail('SW_CONFLICT', `task ${taskId} belongs to step ${task.path} of a run`, {
      remedy: `act on the run: stateward cancel ${task.run_id}, or stateward retry ${task.run_id}`,
    })
  return task
}

async function existing(tx: Tx, taskId: string): Promise<TaskRow> {
  const task = await lockTask(tx, taskId)
  if (task === null) throw fail('SW_INTERNAL', `task ${taskId} is gone`)
  return task
}

function assertAgent({ hasAgent }: TaskVerbDeps, namespace: string, name: string): void {
  if (!hasAgent(namespace, name))
    throw fail('SW_NOT_FOUND', `there is no agent ${name} in namespace ${namespace}`, {
      remedy: 'list them: stateward get agents -A',
    })
}
