import type { StepDto } from '../client/dto.ts'
import { stateOf } from './step-state.ts'

/** A step with the steps that ran inside it: those of the iterations of a loop, or of the blueprint it calls. */
export interface StepNode {
  readonly step: StepDto
  /** What it is called below its parent: `[3].fix` below `each`, `fix` below a call. */
  readonly name: string
  readonly children: readonly StepNode[]
}

/** Steps below the one they belong to, in the order they came. A path says where: `each[3].fix` is below `each`. */
export function stepTree(steps: readonly StepDto[]): readonly StepNode[] {
  const known = new Set(steps.map(({ path }) => path))
  const below = Map.groupBy(steps, ({ path }) => {
    const parent = parentOf(path)
    return parent !== null && known.has(parent) ? parent : null
  })
  const nodesBelow = (parent: string | null): StepNode[] =>
    (below.get(parent) ?? []).map((step) => ({
      step,
      name: parent === null ? step.path : step.path.slice(parent.length).replace(/^\./, ''),
      children: nodesBelow(step.path),
    }))
  return nodesBelow(null)
}

/** The path of the loop or call a step runs in; null for a step of the run's own plan. */
export function parentOf(path: string): string | null {
  const dot = path.lastIndexOf('.')
  return dot === -1 ? null : path.slice(0, dot).replace(/\[\d+\]$/, '')
}

/** How far a loop has come: `12 done, 3 running, 1 failed`, counted in iterations that have begun; '' for what is none. */
export function loopProgress({ step: { kind }, children }: StepNode): string {
  if (kind !== 'foreach') return ''
  const iterations = new Map<string, Set<string>>()
  for (const { name, step } of children) {
    const index = name.slice(0, name.indexOf(']') + 1)
    const states = iterations.get(index) ?? new Set()
    iterations.set(index, states.add(stateOf(step)))
  }
  let [failed, running] = [0, 0]
  for (const states of iterations.values()) {
    if (states.has('failed')) failed += 1
    else if (states.has('running') || states.has('waiting')) running += 1
  }
  const parts = [
    [iterations.size - failed - running, 'done'],
    [running, 'running'],
    [failed, 'failed'],
  ] as const
  return parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(', ')
}
