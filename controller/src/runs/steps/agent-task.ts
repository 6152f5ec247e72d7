import type { AgentTaskStep } from '../../blueprints/compiled-plan.ts'
import { renderTemplate, renderTextTemplate } from '../../expressions/template.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { TaskResultPayload } from '../../store/queries/inbox.ts'
import type { Move } from '../move.ts'
import type { StepError } from '../ports.ts'
import { stepError } from '../step-error.ts'
import type { StepContext, StepHandler } from './handler.ts'

/** How often a task that nobody can serve is looked at again. */
const RECHECK_MS = 30_000

/**
 * Queues a task and goes on when its result comes; the agent's own host runs it. A task may be run more than once (an
 * agent that goes away loses its lease), its result counts once.
 */
export const agentTask: StepHandler<AgentTaskStep> = {
  start(move, step, context) {
    const { row, values } = move.run
    const prompt = renderTextTemplate(step.prompt, values)
    const inputs = (step.with === null ? row.inputs : renderTemplate(step.with, values)) as JsonObject
    const taskId = uuidv7(move.now.getTime())
    const asked: JsonObject = {
      task_id: taskId,
      agent: step.agent,
      prompt,
      inputs,
      ...(step.model === null ? {} : { model: step.model }),
    }
    const started = move.startStep(step, asked)
    move.waitStep(step, condition(move, step, context))
    move.addTask({
      task_id: taskId,
      namespace: row.namespace,
      agent: step.agent,
      run_id: row.run_id,
      step_id: started.step_id,
      path: step.id,
      prompt,
      inputs,
      output_schema: step.outputSchema,
      deadline: deadlineOf(move, step),
      keep_workspace: step.keepWorkspace,
      correlation_id: row.correlation_id,
      created_at: move.now,
    })
    move.whenDurable.push(() => context.tasks.enqueued(row.namespace, step.agent))
  },

  resume(move, step, context) {
    move.waitStep(step, condition(move, step, context))
    move.whenDurable.push(() => context.tasks.enqueued(move.run.row.namespace, step.agent))
  },

  receive(move, step, message) {
    if (message.kind !== 'task_result') return false
    const result = message.payload as unknown as TaskResultPayload
    if (result.task_id !== (move.run.steps.get(step.id)?.inputs as { task_id?: string } | null)?.task_id) return false
    if (result.status === 'failed') {
      move.failStep(step, agentError(step, result))
      return true
    }
    // Whoever took the result from the agent has checked it against the step's schema.
    move.completeStep(step, result.output ?? null)
    return true
  },

  dueAt(move, step) {
    const deadline = deadlineOf(move, step)
    // Whoever claims the run then asks again (`resume`).
    const recheck = isUnserved(move, step) ? new Date(move.now.getTime() + RECHECK_MS) : null
    const times = [deadline, recheck].filter((time) => time !== null)
    return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
  },

  due(move, step, context) {
    cancelTask(move, step, context)
    move.failStep(
      step,
      stepError(fail('SW_STEP_TIMEOUT', `agent ${step.agent} did not complete step ${step.id} in time`), 'timeout'),
    )
  },

  abandon(move, step, context) {
    cancelTask(move, step, context)
  },

  waiting: (move, step) =>
    isUnserved(move, step)
      ? { reason: 'NoCapableAgent', message: `step ${step.id}: no agent ${step.agent} takes tasks` }
      : { reason: 'Progressing', message: `agent ${step.agent} works on step ${step.id}` },
}

function deadlineOf(move: Move, step: AgentTaskStep): Date | null {
  const startedAt = move.run.steps.get(step.id)?.started_at
  return step.timeoutMs === null || startedAt == null ? null : new Date(startedAt.getTime() + step.timeoutMs)
}

function condition(move: Move, step: AgentTaskStep, context: StepContext): JsonObject | null {
  if (context.tasks.canServe(move.run.row.namespace, step.agent)) return null
  return { reason: 'NoCapableAgent', message: `no agent ${step.agent} takes tasks`, since: move.now.toISOString() }
}

function isUnserved(move: Move, step: AgentTaskStep): boolean {
  return move.run.steps.get(step.id)?.condition !== null
}

function cancelTask(move: Move, step: AgentTaskStep, context: StepContext): void {
  move.cancelTask(step)
  const stepId = move.stepId(step)
  move.whenDurable.push(() => context.tasks.cancelled(stepId))
}

function agentError(step: AgentTaskStep, result: TaskResultPayload): StepError {
  const { code, message, retryable } = result.error ?? {
    code: 'agent_failed',
    message: `agent ${step.agent} failed step ${step.id}`,
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
