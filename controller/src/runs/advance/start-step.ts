import { evaluateCondition } from '../../expressions/filter.ts'
import type { Move } from '../move/move.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import { policiesStop } from '../steps/ask-policies.ts'
import type { StepContext } from '../steps/handler.ts'
import { beginStep, handlerIn } from '../steps/handlers.ts'

/** Starts a step whose turn it is, or skips it; what it cannot start with fails it. */
export function startStep(move: Move, step: Placed, context: StepContext): void {
  try {
    if (step.if !== null && !evaluateCondition(step.if, step.frame.values))
      move.skipStep(step, `its condition is false: ${step.if}`)
    else if (!policiesStop(move, step, context)) beginStep(move, step, context)
  } catch (error) {
    move.failStep(step, stepError(error, 'validation'))
  }
}

/** Gives up steps that wait for something outside; they end with this error. */
export function abandonSteps(move: Move, steps: readonly Placed[], reason: Error, context: StepContext): void {
  for (const step of steps) {
    handlerIn(move.run, step).abandon(move, step, context)
    move.failStep(step, stepError(reason, 'cancelled'))
  }
}
