import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { StepRow } from '../../store/journal.ts'
import type { RunState } from '../state/run-state.ts'

/**
 * The steps that a run which goes on from `from` takes over as they ended: what completed, without that step and all that
 * waits for it, directly or through others. `from` may stand in a loop or a called blueprint (`each[3].fix`): then the
 * other iterations stay. Null = only what did not complete runs again. Skipped steps are decided anew, by the same values.
 * SW_VALIDATION_FAILED: the plan has no such step. Pure.
 */
export function keptSteps(run: RunState, from: string | null): readonly StepRow[] {
  const completed = [...run.steps.values()].filter(({ status }) => status === 'completed')
  if (from === null) return completed
  const dropped = droppedBy(run, from)
  const isWithin = (path: string, outer: string) => path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`)
  const isDropped = (path: string) =>
    dropped.headers.has(path) || dropped.whole.some((outer) => path === outer || isWithin(path, outer))
  return completed.filter(({ path }) => !isDropped(path))
}

interface Dropped {
  /** Loops and calls that are entered again: what they came to is open. */
  readonly headers: ReadonlySet<string>
  /** Steps that run again, with everything in them. */
  readonly whole: readonly string[]
}

function droppedBy(run: RunState, from: string): Dropped {
  const headers = new Set<string>()
  const whole: string[] = []
  let steps: readonly CompiledStep[] = run.plan.steps
  let prefix = ''
  const segments = from.split('.')
  for (const [i, segment] of segments.entries()) {
    const [, id, index] = /^([a-z][a-z0-9_]*)(?:\[(\d+)\])?$/.exec(segment) ?? []
    const step = steps.find((one) => one.id === id)
    const isLast = i === segments.length - 1
    const inner = step === undefined || isLast ? null : innerSteps(step, index)
    if (step === undefined || (isLast ? index !== undefined : inner === null)) throw unknownStep(run, from)
    whole.push(...dependants(steps, step.id).map((other) => prefix + other))
    if (inner === null) whole.push(prefix + step.id)
    else {
      headers.add(prefix + step.id)
      prefix += index === undefined ? `${step.id}.` : `${step.id}[${index}].`
      if (!hasBegun(run, prefix)) throw unknownStep(run, from)
      steps = inner
    }
  }
  return { headers, whole }
}

function innerSteps(step: CompiledStep, index: string | undefined): readonly CompiledStep[] | null {
  if (step.kind === 'foreach') return index === undefined ? null : step.steps
  return step.kind === 'blueprint' && index === undefined ? step.plan.steps : null
}

function hasBegun({ steps }: RunState, prefix: string): boolean {
  for (const path of steps.keys()) if (path.startsWith(prefix)) return true
  return false
}

/** Ids of the steps that wait for a step, directly or through others; steps stand behind what they wait for. */
function dependants(steps: readonly CompiledStep[], id: string): readonly string[] {
  const found = new Set([id])
  for (const step of steps) if (step.waitsFor.some((other) => found.has(other))) found.add(step.id)
  found.delete(id)
  return [...found]
}

function unknownStep({ row, plan }: RunState, from: string): Error {
  const message = `run ${row.name} has no step ${JSON.stringify(from)} to go on from`
  return fail('SW_VALIDATION_FAILED', message, {
    remedy: `its steps are ${plan.steps.map(({ id }) => id).join(', ')}; in a loop each[3].fix, in a called blueprint call.fix`,
    details: { violations: [{ path: '/from', message, hint: 'name a step of the run' }] },
  })
}
