import type { SpecProblem } from '../kinds/definition.ts'
import { nameHint, problem } from './problem.ts'

/** What decides when a step may start. */
export interface OrderedStep {
  readonly id: string
  /** null when the file says nothing: the step above. */
  readonly needs: readonly string[] | null
  /** Steps its expressions name. */
  readonly mentions: ReadonlySet<string>
  /** Pointer of the step, e.g. `/spec/plan/2`. */
  readonly pointer: string
}

export interface StepOrder {
  /** Step ids such that everything a step waits for stands before it; in the order of the file as far as that goes. */
  readonly sequence: readonly string[]
  readonly waitsFor: ReadonlyMap<string, readonly string[]>
  readonly problems: readonly SpecProblem[]
}

/**
 * The order of a plan: a step waits for its `needs`, or else for the step above it in the file, and always for every step its
 * expressions mention. So nothing passes a gate that stands above it unless it says so. Expects unique ids.
 */
export function orderSteps(steps: readonly OrderedStep[]): StepOrder {
  const problems: SpecProblem[] = []
  const place = new Map(steps.map((step, i) => [step.id, i]))
  const waitsFor = new Map<string, readonly string[]>()
  for (const [i, step] of steps.entries()) {
    const waits = new Set<string>()
    step.needs?.forEach((need, j) => {
      if (need !== step.id && place.has(need)) waits.add(need)
      else problems.push(badNeed(step, need, j, [...place.keys()]))
    })
    if (step.needs === null && i > 0) waits.add(steps[i - 1]!.id)
    for (const mentioned of step.mentions) {
      if (mentioned === step.id) {
        const message = `step ${step.id} reads its own output, which is there only after it has ended`
        problems.push(problem('SW_STEP_CYCLE', step.pointer, message, 'read the inputs or another step'))
      } else if (place.has(mentioned)) waits.add(mentioned)
    }
    waitsFor.set(
      step.id,
      [...waits].sort((a, b) => place.get(a)! - place.get(b)!),
    )
  }
  const sequence = sort(steps, waitsFor)
  if (sequence.length < steps.length) problems.push(cycleProblem(steps, waitsFor, new Set(sequence)))
  return { sequence, waitsFor, problems }
}

function badNeed(step: OrderedStep, need: string, index: number, known: readonly string[]): SpecProblem {
  const pointer = `${step.pointer}/needs/${index}`
  if (need === step.id) return problem('SW_STEP_CYCLE', pointer, `step ${step.id} needs itself`, 'remove it')
  const others = known.filter((id) => id !== step.id)
  return problem(
    'SW_UNKNOWN_NAME',
    pointer,
    `step ${step.id} needs ${JSON.stringify(need)}, which is no step of this plan`,
    nameHint(need, others),
  )
}

/** Takes the first step of the file that waits for nothing left; stops at a cycle. */
function sort(steps: readonly OrderedStep[], waitsFor: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  let left = [...steps]
  while (left.length > 0) {
    const next = left.find((step) => waitsFor.get(step.id)!.every((id) => done.has(id)))
    if (next === undefined) break
    done.add(next.id)
    left = left.filter((step) => step !== next)
  }
  return [...done]
}

/** Every step left waits for another one that is left, so following them must come back. */
function cycleProblem(
  steps: readonly OrderedStep[],
  waitsFor: ReadonlyMap<string, readonly string[]>,
  done: ReadonlySet<string>,
): SpecProblem {
  const path: string[] = []
  let at = steps.find((step) => !done.has(step.id))!.id
  while (!path.includes(at)) {
    path.push(at)
    at = waitsFor.get(at)!.find((id) => !done.has(id))!
  }
  const cycle = [...path.slice(path.indexOf(at)), at]
  const first = steps.find((step) => cycle.includes(step.id))!
  return problem(
    'SW_STEP_CYCLE',
    first.pointer,
    `steps wait for each other: ${cycle.join(' waits for ')}`,
    'a step waits for its needs (or the step above it) and for every step it mentions: reorder the steps or give one needs: []',
  )
}
