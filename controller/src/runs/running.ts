import type { Placed } from './frame.ts'
import type { RunState } from './run-state.ts'

/** Steps that have started and not ended. */
export function runningSteps(run: RunState): readonly Placed[] {
  return run.root.steps.filter(({ path }) => run.steps.get(path)?.status === 'running')
}

/** The step at a path, when it can still move. */
export function stepAt(run: RunState, path: string): Placed | undefined {
  return run.root.steps.find((step) => step.path === path)
}
