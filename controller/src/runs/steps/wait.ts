import type { WaitStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import type { StepHandler } from './handler.ts'

/**
 * Waits for an event or for time; while it does, the run costs nothing and its time stands still. The subscription is
 * durable with the step: the first event logged after it that matches ends it, whoever posted it and whatever crashed.
 */
export const wait: StepHandler<WaitStep> = {
  start(move, step) {
    const { event, filter, durationMs } = step
    const asked: JsonObject = event === null ? { duration_ms: durationMs } : { event, filter }
    move.startStep(step, asked, { condition: { ...reasonOf(step), since: move.now.toISOString() } })
    if (event === null) return
    const { run_id } = move.run.row
    move.addWait({
      step_id: move.tell.stepId(step),
      run_id,
      path: step.path,
      event,
      filter,
      bindings: bindingsOf(step),
      created_at: move.now,
    })
  },

  resume() {},

  receive(move, step, message) {
    if (message.kind !== 'event' || step.event === null) return false
    move.completeStep(step, message.payload)
    return true
  },

  dueAt(move, step) {
    const startedAt = move.run.steps.get(step.path)?.started_at
    const time = step.event === null ? step.durationMs : step.timeoutMs
    return time === null || startedAt == null ? null : new Date(startedAt.getTime() + time)
  },

  due(move, step) {
    if (step.event !== null) move.endWait(step)
    if (step.event === null || step.onTimeout === 'continue') {
      move.completeStep(step, null)
      return
    }
    const error = fail('SW_STEP_TIMEOUT', `no event ${step.event} that step ${step.path} waits for came in time`)
    move.failStep(step, stepError(error, 'timeout'))
  },

  abandon(move, step) {
    if (step.event !== null) move.endWait(step)
  },

  waiting: (_move, step) => reasonOf(step),
}

function reasonOf(step: Placed<WaitStep>) {
  return step.event === null
    ? ({ reason: 'WaitingForTime', message: `step ${step.path} waits` } as const)
    : ({ reason: 'WaitingForEvent', message: `step ${step.path} waits for event ${step.event}` } as const)
}

/** What the filter may read, as it is now: everything it mentions has ended. */
function bindingsOf(step: Placed<WaitStep>): JsonObject {
  if (step.filter === null) return {}
  const { inputs = {}, run, env, steps, variables = {} } = step.frame.values
  const mentioned = step.filterSteps.map((id) => [id, steps[id]] as const)
  const plain = Object.entries(variables).map(
    ([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value] as const,
  )
  const bindings = { inputs, run, env, steps: Object.fromEntries(mentioned), variables: Object.fromEntries(plain) }
  return bindings as unknown as JsonObject & Json
}
