import { charge } from '../budgets/charge.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { insertInboxRow, type TaskResultPayload } from '../store/queries/inbox.ts'
import {
  endTask,
  insertTask,
  lockRunOfTask,
  lockTask,
  type NewTask,
  requeueTask,
  type TaskRow,
} from '../store/queries/tasks.ts'
import { recordTaskUsage } from '../store/queries/tasks-read.ts'
import type { Store } from '../store/store.ts'
import { agentActor, taskEvent } from './events.ts'
import type { Fleet } from './fleet.ts'
import { redactor } from './redaction.ts'
import { failed, type TaskOutcome } from './task-outcome.ts'
import { partEnded } from './task-parts.ts'

/**
 * How tasks begin and end. Every end is one transaction: the task's row, what its run is to hear, and the event. Functions
 * that take a transaction return what is to be announced after its commit.
 */

/** What others have to be told once the transaction is committed. */
export interface TaskChange {
  /** To be appended last in the same transaction; none = nothing happened. */
  readonly events: readonly NewEvent[]
  /** This run has something in its inbox. */
  readonly run: string | null
  /** This agent has something in its queue. */
  readonly queue: { readonly namespace: string; readonly agent: string } | null
  readonly task: TaskRow | null
}

const NOTHING: TaskChange = { events: [], run: null, queue: null, task: null }

/** Puts a task into its agent's queue. After the commit, tell the agents (`taskQueued`); the caller writes the event. */
export async function enqueueTask(tx: Tx, _store: Pick<Store, 'clock'>, task: NewTask): Promise<void> {
  await insertTask(tx, task)
}

/** Ends a task that nobody waits for any more; its run hears nothing. No events when it had ended. */
export async function cancelTask(
  tx: Tx,
  store: Pick<Store, 'clock'>,
  taskId: string,
  actor?: string,
): Promise<TaskChange> {
  const task = await lockTask(tx, taskId)
  if (task === null || !isOpen(task)) return NOTHING
  const at = store.clock.now()
  await endTask(tx, taskId, { status: 'cancelled', at })
  const events = [taskEvent('cancelled', task, at, {}, actor), ...(await partEnded(tx, task, 'cancelled', at))]
  return { events, run: null, queue: null, task }
}

/** Which attempt is meant, and who holds it; null = nobody, it is queued. */
export interface Attempt {
  readonly task_id: string
  readonly run_id: string | null
  readonly attempt: number
  readonly instance_id: string | null
}

/**
 * Records how an attempt ended, if it still is the current one. `by` is who says so: the agent, or the controller. A failure
 * that may pass is the task's end only after its last attempt; a task of a step leaves that to the step.
 */
export async function settleTask(
  tx: Tx,
  store: Pick<Store, 'clock'>,
  attempt: Attempt,
  outcome: TaskOutcome,
  by: 'agent' | 'controller',
  usage: TaskUsage | null = null,
): Promise<TaskChange> {
  if (attempt.run_id !== null) await lockRunOfTask(tx, attempt.run_id)
  const task = await lockTask(tx, attempt.task_id)
  if (task === null || !isOpen(task) || !isCurrent(task, attempt)) return NOTHING
  const at = store.clock.now()
  const spent = usage === null ? [] : await chargeUsage(tx, task, usage, at)
  if (outcome.status === 'failed' && outcome.error.retryable && isTriedAgain(task)) {
    const notBefore = new Date(at.getTime() + task.retry_delay_ms)
    await requeueTask(tx, task.task_id, task.retry_delay_ms === 0 ? null : notBefore)
    const event = taskEvent('requeued', task, at, { reason: outcome.error.message })
    return { events: [...spent, event], run: null, queue: { namespace: task.namespace, agent: task.agent }, task }
  }
  const actor = by === 'agent' ? agentActor(task) : undefined
  await endTask(
    tx,
    task.task_id,
    outcome.status === 'completed' ? { ...outcome, at } : { status: 'failed', error: outcome.error, at },
  )
  if (task.run_id !== null) {
    await insertInboxRow(tx, {
      id: uuidv7(at.getTime()),
      run_id: task.run_id,
      kind: 'task_result',
      path: task.path,
      payload: resultOf(task, outcome),
      actor: agentActor(task),
      created_at: at,
    })
  }
  const data: JsonObject =
    outcome.status === 'failed' ? { code: outcome.error.code, message: outcome.error.message } : {}
  if (outcome.sanitized) data['output_sanitized'] = true
  const ended = taskEvent(outcome.status, task, at, data, actor)
  return {
    events: [...spent, ended, ...(await partEnded(tx, task, outcome.status, at))],
    run: task.run_id,
    queue: null,
    task,
  }
}

/** What an agent says an attempt used. */
export interface TaskUsage {
  readonly tokens: number
  readonly costNanoUsd: number
}

/** What an agent says of its task is in the ledger once: each attempt says its own. */
async function chargeUsage(tx: Tx, task: TaskRow, usage: TaskUsage, at: Date): Promise<readonly NewEvent[]> {
  const { task_id, namespace, agent, run_id, path, correlation_id } = task
  if (usage.tokens > 0 || usage.costNanoUsd > 0) await recordTaskUsage(tx, task_id, usage)
  const { events } = await charge(
    tx,
    {
      ...{ namespace, agent, task_id, run_id, correlation_id },
      step: path,
      amount: BigInt(usage.costNanoUsd),
      tokens: usage.tokens,
      input_tokens: 0,
      output_tokens: 0,
      ...{ project: null, provider: null, model: null, tool: null, ticket: null },
      note: 'reported with its task',
      recorded_by: agentActor(task),
      occurred_at: at,
    },
    at,
  )
  return events
}

function isTriedAgain(task: TaskRow): boolean {
  return task.run_id === null && task.status === 'leased' && task.attempt < task.max_attempts
}

function resultOf(task: TaskRow, outcome: TaskOutcome): JsonObject {
  const payload: TaskResultPayload =
    outcome.status === 'completed'
      ? { task_id: task.task_id, status: 'completed', output: outcome.output }
      : { task_id: task.task_id, status: 'failed', error: outcome.error }
  return payload as unknown as JsonObject
}

/**
 * Gives a task whose holder went away to the queue as the next attempt; after the last one it has failed. `maxAttempts` is
 * that of tasks of steps; null = however often.
 */
export async function giveBack(
  tx: Tx,
  store: Pick<Store, 'clock'>,
  attempt: TaskRow,
  why: string,
  maxAttempts: number | null,
): Promise<TaskChange> {
  const last = maxAttempts === null || attempt.run_id !== null ? maxAttempts : attempt.max_attempts
  if (last !== null && attempt.attempt >= last) {
    const message = `${why}, on attempt ${attempt.attempt} of ${last}`
    return settleTask(tx, store, attempt, failed('agent_failed', message, redactor([])), 'controller')
  }
  const task = await lockTask(tx, attempt.task_id)
  if (task === null || task.status !== 'leased' || !isCurrent(task, attempt)) return NOTHING
  await requeueTask(tx, task.task_id)
  const event = taskEvent('requeued', task, store.clock.now(), { reason: why })
  return { events: [event], run: null, queue: { namespace: task.namespace, agent: task.agent }, task }
}

/** The events of changes go to the log together, as the last thing of a transaction. */
export async function appendChanges(
  tx: Tx,
  store: Store,
  changes: readonly TaskChange[],
  more: readonly NewEvent[] = [],
): Promise<void> {
  const events = [...changes.flatMap(({ events: own }) => own), ...more]
  if (events.length > 0) await appendEvents(tx, store, events)
}

/** Tells runs and agents what a committed transaction changed. */
export function announce(fleet: Fleet, changes: readonly TaskChange[]): void {
  for (const { run, queue } of changes) {
    if (run !== null) fleet.context.nudgeRun(run)
    if (queue !== null) fleet.notifier.notify(queue.namespace, queue.agent)
  }
}

export function isOpen(task: TaskRow): boolean {
  return task.status === 'queued' || task.status === 'leased'
}

function isCurrent(task: TaskRow, attempt: Attempt): boolean {
  return task.attempt === attempt.attempt && task.instance_id === attempt.instance_id
}
