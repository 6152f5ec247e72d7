import type { ActionTaskStep, AgentTaskStep } from '../../blueprints/compiled-plan.ts'
import { evaluateCondition } from '../../expressions/filter.ts'
import type { ErrorValue } from '../../expressions/values.ts'
import { backoffMs } from '../../lib/backoff.ts'
import type { Move } from '../move/move.ts'
import type { StepError } from '../ports.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import type { StepContext } from './handler.ts'

/**
 * What became of an attempt that failed: the step waits for its next one, or has failed. Without `retryIf`, errors that
 * say of themselves that they are worth another attempt are retried. The end of a run is never retried.
 */
export function failOrRetry(
  move: Move,
  step: Placed<ActionTaskStep | AgentTaskStep>,
  error: StepError,
  context: StepContext,
): void {
  const attempt = move.attemptOf(step)
  const policy = step.retry ?? null
  if (policy === null || attempt >= policy.maxAttempts || move.run.cancel !== null || error.category === 'cancelled') {
    move.failStep(step, error)
    return
  }
  try {
    if (!isWanted(policy.retryIf, error)) move.failStep(step, error)
    else {
      const pause = backoffMs(policy, attempt, context.random())
      move.retryStep(step, error, new Date(move.now.getTime() + pause), policy.maxAttempts)
    }
  } catch (problem) {
    const wrong = stepError(problem, 'validation')
    move.failStep(step, { ...wrong, message: `retryIf of step ${step.path}: ${wrong.message}`, cause: error })
  }
}

function isWanted(retryIf: string | null, error: StepError): boolean {
  if (retryIf === null) return error.retryable
  return evaluateCondition(retryIf, { error: errorValue(error) })
}

/** Without its details, whose shape nobody promises; `cause` nests to the root, and is null there. */
function errorValue({ code, category, message, retryable, cause }: StepError): ErrorValue {
  return { code, category, message, retryable, cause: cause === undefined ? null : errorValue(cause) }
}
