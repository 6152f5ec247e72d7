import type { SpecProblem } from '../kinds/definition.ts'
import { fillDefaults, validateSpec } from '../kinds/validate.ts'
import { isObject, type JsonObject, pointerToken } from '../lib/json.ts'
import { type CompileSurroundings, compileBlueprint } from './compile.ts'
import type { CompiledPlan, CompiledStep } from './compiled-plan.ts'
import { PointerMap } from './pointer-map.ts'

/** A plan that a run brings along: steps of a blueprint, or `{skill, params}`, the short form for a call of a tool. */
export interface InlinePlan {
  readonly namespace: string
  readonly plan: readonly unknown[]
  /** Names of what the run is given: its expressions may read these. */
  readonly inputs: readonly string[]
}

export type InlineResult =
  | { readonly ok: true; readonly plan: CompiledPlan; readonly digest: string }
  /** Pointers are those of the request: `/plan/0/params`. */
  | { readonly ok: false; readonly problems: readonly SpecProblem[] }

/** Makes what a run follows of a plan it brings along, by the rules of a blueprint. Collects every problem. Pure. */
export function compileInlinePlan(inline: InlinePlan, around: CompileSurroundings): InlineResult {
  const places = new PointerMap()
  places.tree('/spec', '')
  for (const [i, name] of inline.inputs.entries()) places.leaf(`/spec/inputs/${i}`, `/inputs/${pointerToken(name)}`)
  const spec = {
    inputs: inline.inputs.map((name) => ({ name })),
    plan: inline.plan.map((step, i) => normaliseStep(step, i, places)),
  }
  const placed = (problem: SpecProblem): SpecProblem => ({ ...problem, pointer: places.find(problem.pointer) })
  const wrong = validateSpec('Blueprint', spec).filter(({ severity }) => severity !== 'warning')
  if (wrong.length > 0) return { ok: false, problems: wrong.map(placed) }
  const filled = fillDefaults('Blueprint', spec as unknown as JsonObject)
  const source = { namespace: inline.namespace, name: '', spec: filled, place: places.find.bind(places) }
  const compiled = compileBlueprint(source, around)
  if (!compiled.ok) return { ok: false, problems: compiled.problems.map(placed) }
  return { ok: true, plan: compiled.plan, digest: compiled.digest }
}

/** `{skill, params}` as the call of a tool it means; its id is `step_<n>` when it has none. */
function normaliseStep(step: unknown, i: number, places: PointerMap): unknown {
  if (!isObject(step) || step['kind'] !== undefined || step['skill'] === undefined) return step
  const { skill, params, ...rest } = step
  places.leaf(`/spec/plan/${i}/action`, `/plan/${i}/skill`)
  places.tree(`/spec/plan/${i}/with`, `/plan/${i}/params`)
  return {
    id: `step_${i + 1}`,
    ...rest,
    kind: 'action_task',
    action: skill,
    ...(params === undefined ? {} : { with: params }),
  }
}

/** Every step of a plan with those of its loops and of the blueprints it calls. */
export function allSteps(steps: readonly CompiledStep[]): CompiledStep[] {
  return steps.flatMap((step) => {
    const inner = step.kind === 'foreach' ? step.steps : step.kind === 'blueprint' ? step.plan.steps : []
    return [step, ...allSteps(inner)]
  })
}
