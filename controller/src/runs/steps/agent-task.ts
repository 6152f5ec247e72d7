import type { AgentTaskStep } from '../../blueprints/compiled-plan.ts'
import { renderTemplate, renderTextTemplate } from '../../expressions/template.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { TaskResultPayload } from '../../store/queries/inbox.ts'
import type { Move } from '../move/move.ts'
import type { StepError } from '../ports.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import { HOST_REQUIRED, isBulk, lookForHost, reasonOf } from './bulk-host.ts'
import type { StepContext, StepHandler } from './handler.ts'
import { capOf, isAsking, pay, purchaseId, waitingForMoney } from './paying.ts'
import { failOrRetry } from './retry.ts'

/** How often a task that nobody can serve is looked at again. */
const RECHECK_MS = 30_000

/**
 * Queues a task and goes on when its result comes; the agent's own host runs it. A task may be run more than once (an
 * agent that goes away loses its lease), its result counts once.
 */
export const agentTask: StepHandler<AgentTaskStep> = {
  start(move, step, context) {
    const { values } = step.frame
    const prompt = renderTextTemplate(step.prompt, values)
    const inputs = (step.with === null ? move.run.row.inputs : renderTemplate(step.with, values)) as JsonObject
    move.startStep(step, request(move, step, prompt, inputs))
    begin(move, step, context)
  },

  // The same words, as a task of its own.
  again(move, step, context) {
    const { prompt, inputs } = move.run.steps.get(step.path)!.inputs as { prompt: string; inputs: JsonObject }
    move.beginAttempt(step, request(move, step, prompt, inputs))
    begin(move, step, context)
  },

  resume(move, step, context) {
    if (isAsking(move, step)) {
      begin(move, step, context)
      return
    }
    tellWaiting(move, step, context)
    move.whenDurable.push(() => context.tasks.enqueued(move.run.row.namespace, step.agent))
  },

  receive(move, step, message, context) {
    if (message.kind === 'resume') {
      if (isAsking(move, step)) begin(move, step, context)
      return true
    }
    if (message.kind !== 'task_result') return false
    const result = message.payload as unknown as TaskResultPayload
    if (result.task_id !== (move.run.steps.get(step.path)?.inputs as { task_id?: string } | null)?.task_id) return false
    settle(move, step, context)
    if (result.status === 'failed') {
      failOrRetry(move, step, agentError(step, result), context)
      return true
    }
    // Whoever took the result from the agent has checked it against the step's schema.
    move.completeStep(step, result.output ?? null)
    return true
  },

  dueAt(move, step) {
    if (isAsking(move, step)) return null
    const deadline = deadlineOf(move, step)
    // Whoever claims the run then asks again (`resume`).
    const recheck = isUnserved(move, step) ? new Date(move.now.getTime() + RECHECK_MS) : null
    const times = [deadline, recheck].filter((time) => time !== null)
    return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
  },

  due(move, step, context) {
    settle(move, step, context)
    cancelTask(move, step, context)
    const error = fail('SW_STEP_TIMEOUT', `agent ${step.agent} did not complete step ${step.path} in time`)
    failOrRetry(move, step, stepError(error, 'timeout'), context)
  },

  abandon(move, step, context) {
    settle(move, step, context)
    cancelTask(move, step, context)
  },

  waiting: (move, step) =>
    isAsking(move, step)
      ? waitingForMoney(move, step)
      : isUnserved(move, step)
        ? unserved(move, step)
        : { reason: 'Progressing', message: `agent ${step.agent} works on step ${step.path}` },
}

/** What the step's row keeps of the question; a task has an id of its own at every attempt. */
function request(move: Move, step: Placed<AgentTaskStep>, prompt: string, inputs: JsonObject): JsonObject {
  const taskId = uuidv7(move.now.getTime())
  return {
    ...{ task_id: taskId, agent: step.agent, prompt, inputs },
    ...(step.model === null ? {} : { model: step.model }),
    ...(step.provider === undefined ? {} : { provider: step.provider }),
  }
}

/** What the agent spends is known afterwards; what it may spend is kept before. Without a limit nobody is asked. */
function begin(move: Move, step: Placed<AgentTaskStep>, context: StepContext): void {
  if (move.run.active.has(step.path)) return
  const amount = amountOf(step)
  if (!isLimited(move, step, context)) addTask(move, step, context)
  else pay(move, step, { amount, agent: step.agent, tool: null }, context, (later) => addTask(later, step, context))
}

function isLimited(move: Move, step: Placed<AgentTaskStep>, { purse }: StepContext): boolean {
  const { namespace, blueprint } = move.run.row
  return amountOf(step) > 0n || capOf(move) !== null || purse.limits({ namespace, agent: step.agent, blueprint })
}

function amountOf(step: AgentTaskStep): bigint {
  return BigInt(step.maxNanoUsd ?? '0')
}

/** What the agent reported counts; when it reported nothing, all that was kept for it. */
function settle(move: Move, step: Placed<AgentTaskStep>, context: StepContext): void {
  if (amountOf(step) === 0n) return
  const id = purchaseId(move, step)
  move.whenDurable.push(() => {
    context.crashPoint('budget.unsettled')
    void context.purse.settle(id, { kind: 'as_reported' })
  })
}

function addTask(move: Move, step: Placed<AgentTaskStep>, context: StepContext): void {
  const row = move.run.steps.get(step.path)!
  const { namespace, run_id, correlation_id } = move.run.row
  const { task_id, prompt, inputs } = row.inputs as { task_id: string; prompt: string; inputs: JsonObject }
  tellWaiting(move, step, context)
  move.addTask({
    task_id,
    namespace,
    agent: step.agent,
    run_id,
    step_id: row.step_id,
    path: step.path,
    prompt,
    inputs,
    output_schema: step.outputSchema,
    deadline: deadlineOf(move, step),
    keep_workspace: step.keepWorkspace,
    expected_rows: step.expectedRows ?? null,
    correlation_id,
    created_at: move.now,
  })
  move.whenDurable.push(() => context.tasks.enqueued(namespace, step.agent))
}

function deadlineOf(move: Move, step: Placed<AgentTaskStep>): Date | null {
  const startedAt = move.run.steps.get(step.path)?.started_at
  return step.timeoutMs === null || startedAt == null ? null : new Date(startedAt.getTime() + step.timeoutMs)
}

/** Says what the task waits for, if it is more than its turn. */
function tellWaiting(move: Move, step: Placed<AgentTaskStep>, context: StepContext): void {
  const served = context.tasks.canServe(move.run.row.namespace, step.agent)
  if (served && isBulk(step)) lookForHost(move, step, context)
  else move.waitStep(step, served ? null : { reason: NO_AGENT, message: nobody(step), since: move.now.toISOString() })
}

const NO_AGENT = 'NoCapableAgent'

function nobody({ agent }: AgentTaskStep): string {
  return `no agent ${agent} takes tasks`
}

function isUnserved(move: Move, step: Placed<AgentTaskStep>): boolean {
  const reason = reasonOf(move, step)
  return reason === NO_AGENT || reason === HOST_REQUIRED
}

function unserved(move: Move, step: Placed<AgentTaskStep>): ReturnType<StepHandler<AgentTaskStep>['waiting']> {
  if (reasonOf(move, step) === NO_AGENT) return { reason: NO_AGENT, message: `step ${step.path}: ${nobody(step)}` }
  const { message } = move.run.steps.get(step.path)!.condition as { message: string }
  return { reason: HOST_REQUIRED, message: `step ${step.path}: ${message}` }
}

function cancelTask(move: Move, step: Placed<AgentTaskStep>, context: StepContext): void {
  move.cancelTask(step)
  const stepId = move.tell.stepId(step)
  move.whenDurable.push(() => context.tasks.cancelled(stepId))
}

function agentError(step: Placed<AgentTaskStep>, result: TaskResultPayload): StepError {
  const { code, message, retryable } = result.error ?? {
    code: 'agent_failed',
    message: `agent ${step.agent} failed step ${step.path}`,
  }
  const category = code === 'deadline_exceeded' ? 'timeout' : 'agent'
  return {
    code,
    category,
    message,
    retryable: retryable ?? false,
    details: { agent: step.agent, task_id: result.task_id },
  }
}
