import type { Frame, Placed } from './frame.ts'
import { iterationAt } from './loop.ts'
import type { RunState } from './run-state.ts'

/** Where steps of the run can move: its plan and the iterations under way. */
function frames(run: RunState): readonly Frame[] {
  if (run.loops.size === 0) return [run.root]
  return [run.root, ...[...run.loops.values()].flatMap((loop) => [...loop.live.values()])]
}

/** Steps that have started and not ended, but for loops: what is under way in them is here. */
export function runningSteps(run: RunState): readonly Placed[] {
  return frames(run).flatMap(({ steps }) =>
    steps.filter(({ kind, path }) => kind !== 'foreach' && run.steps.get(path)?.status === 'running'),
  )
}

/** Loops that have started and not ended. */
export function runningLoops(run: RunState): readonly Placed[] {
  return [...run.loops.values()].map(({ header }) => header)
}

/** The step at a path, when it can still move. */
export function stepAt(run: RunState, path: string): Placed | undefined {
  const iteration = iterationAt(path)
  const frame = iteration === null ? run.root : run.loops.get(iteration.header)?.live.get(iteration.index)
  return frame?.steps.find((step) => step.path === path)
}
