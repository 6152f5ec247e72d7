import type { TransformStep } from '../../blueprints/compiled-plan.ts'
import { evaluateExpression } from '../../expressions/evaluate.ts'
import type { StepHandler } from './handler.ts'

/** Pure: starts and ends in one move, one row. */
export const transform: StepHandler<TransformStep> = {
  start(move, step) {
    move.completeStep(step, evaluateExpression(step.expression, step.frame.values))
  },
  // It never runs beyond its move, so there is nothing to resume, receive or give up.
  resume() {},
  receive: () => false,
  dueAt: () => null,
  due() {},
  abandon() {},
  waiting: () => ({ reason: 'Progressing', message: '' }),
}
