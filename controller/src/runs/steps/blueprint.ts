import type { BlueprintStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { beginCall, nestInputs } from '../state/nest.ts'
import type { StepHandler } from './handler.ts'

/**
 * Begins the plan of another blueprint inside of this run; from then on its steps move by themselves (advance-nests.ts).
 * The plan is part of this run's own, so it is the one that was accepted with it, whatever became of that blueprint since.
 */
export const blueprint: StepHandler<BlueprintStep> = {
  start(move, step) {
    const call = beginCall(step, move.now, move.run.steps)
    move.run.nests.set(step.path, call)
    move.holdStep(step, nestInputs(call))
  },
  // Built again before anything is asked of it (restore-nests.ts).
  resume() {},
  receive: () => false,
  dueAt(move, step) {
    const call = move.run.nests.get(step.path)
    if (call === undefined || step.timeoutMs === null || call.failure !== null) return null
    return new Date(call.startedAt.getTime() + step.timeoutMs)
  },
  due(move, step) {
    const call = move.run.nests.get(step.path)
    if (call !== undefined)
      call.failure = fail('SW_STEP_TIMEOUT', `blueprint ${step.ref} of step ${step.path} did not end in time`)
  },
  abandon() {},
  waiting: (_move, step) => ({ reason: 'Progressing', message: `blueprint ${step.ref} of step ${step.path} goes on` }),
}
