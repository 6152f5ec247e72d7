import type { ForeachStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { beginLoop } from '../state/loop.ts'
import { nestInputs } from '../state/nest.ts'
import type { StepHandler } from './handler.ts'

/**
 * Begins a loop; from then on its iterations move by themselves (advance-nests.ts). The loop itself gets its one row when
 * it ends: the list of what its iterations came to, or the first failure among them.
 */
export const foreach: StepHandler<ForeachStep> = {
  start(move, step) {
    const loop = beginLoop(step, move.now)
    move.run.nests.set(step.path, loop)
    move.holdStep(step, nestInputs(loop))
  },
  // Built again before anything is asked of it (restore-nests.ts).
  resume() {},
  receive: () => false,
  dueAt(move, step) {
    const loop = move.run.nests.get(step.path)
    if (loop === undefined || step.timeoutMs === null || loop.failure !== null) return null
    return new Date(loop.startedAt.getTime() + step.timeoutMs)
  },
  due(move, step) {
    const loop = move.run.nests.get(step.path)
    if (loop !== undefined) loop.failure = fail('SW_STEP_TIMEOUT', `loop ${step.path} did not end in time`)
  },
  abandon() {},
  waiting: (_move, step) => ({ reason: 'Progressing', message: `loop ${step.path} goes on` }),
}
