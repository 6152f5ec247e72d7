import type { BlueprintStep, CompiledStep, ForeachStep } from '../../blueprints/compiled-plan.ts'
import type { Frame, Placed } from './frame.ts'
import { isHeld } from './held.ts'
import { framesOf, type Nest, type PlaceInNest, placeInNest } from './nest.ts'
import type { RunState } from './run-state.ts'

/** Whether a step has steps of its own: it moves by them. */
export function isNesting<Step extends CompiledStep>(step: Step): step is Step & (ForeachStep | BlueprintStep) {
  return step.kind === 'foreach' || step.kind === 'blueprint'
}

/** Where steps of the run can move: its plan, the iterations and the called blueprints under way. */
function frames(run: RunState): readonly Frame[] {
  if (run.nests.size === 0) return [run.root]
  return [run.root, ...[...run.nests.values()].flatMap(framesOf)]
}

/** Steps that have started and not ended, but for those that nest others: what is under way in them is here. Those that are held back are among them. */
export function runningSteps(run: RunState): readonly Placed[] {
  return frames(run).flatMap(({ steps }) =>
    steps.filter(
      (step) => run.steps.get(step.path)?.status === 'running' && (!isNesting(step) || isHeld(run, step.path)),
    ),
  )
}

/** Loops and calls of blueprints that have started and not ended. */
export function runningNests(run: RunState): readonly Placed[] {
  return [...run.nests.values()].map(({ header }) => header)
}

/** The step at a path, when it can still move. */
export function stepAt(run: RunState, path: string): Placed | undefined {
  return frameAt(run, placeInNest(path))?.steps.find((step) => step.path === path)
}

/** Nests inside of a nest, the innermost first. */
export function nestsWithin(run: RunState, { header }: Nest): readonly Nest[] {
  const within = (path: string) => path.startsWith(`${header.path}.`) || path.startsWith(`${header.path}[`)
  return [...run.nests.values()].filter((nest) => within(nest.header.path)).reverse()
}

/** The iteration or the plan with these steps; undefined when it is not under way. */
function frameAt(run: RunState, place: PlaceInNest | null): Frame | undefined {
  if (place === null) return run.root
  const nest = run.nests.get(place.header)
  if (nest === undefined) return undefined
  return nest.kind === 'foreach' ? nest.live.get(place.index ?? -1) : nest.frame
}
