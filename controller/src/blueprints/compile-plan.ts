import { createScope, type Scope, type ScopeDeclaration } from '../expressions/scope.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { CompileResult } from './compile-result.ts'
import { compileStep, type StepDraft } from './compile-step.ts'
import type { CompiledStep } from './compiled-plan.ts'
import { duplicates } from './duplicates.ts'
import { orderSteps } from './order.ts'
import { problem } from './problem.ts'

interface PlanSurroundings {
  /** What expressions know besides the steps of this plan; its `steps` are those of the plan around a loop. */
  readonly declaration: ScopeDeclaration
  readonly toolSchema: (name: string) => JsonObject | null
  readonly blueprint: (name: string) => CompileResult | null
  readonly place: (pointer: string) => string | null
}

interface PlanDraft {
  readonly steps: readonly CompiledStep[]
  readonly scope: Scope
  /** Steps of the plan around it that its expressions name. */
  readonly mentions: ReadonlySet<string>
  readonly problems: readonly SpecProblem[]
}

/** Compiles the steps under `<pointer>/plan`: a blueprint's, or those of one of its loops. */
export function compilePlan(plan: readonly JsonObject[], pointer: string, around: PlanSurroundings): PlanDraft {
  const { declaration, toolSchema, blueprint, place } = around
  const list = `${pointer}/plan`
  const outer = declaration.steps ?? {}
  const own = outputTypes(plan, blueprint)
  const scope = createScope({ ...declaration, steps: { ...outer, ...own } })
  const drafts = plan.map((step, i) => {
    const at = `${list}/${i}`
    // A loop's plan sees the steps around the loop, and the variables of the loop.
    const nested = (variables: Readonly<Record<string, string>>) =>
      compilePlan(Array.isArray(step['plan']) ? step['plan'].filter(isStep) : [], at, {
        ...around,
        declaration: { ...scope.declaration, variables: { ...declaration.variables, ...variables } },
      })
    return compileStep(step, at, place(at), { scope, toolSchema, blueprint, nested })
  })
  const ids = drafts.map(({ step }) => step.id)
  const problems = [...duplicates(plan, list, 'id'), ...shadowing(ids, list, outer)]
  const hasUniqueIds = problems.length === 0
  problems.push(...drafts.flatMap((draft) => draft.problems))
  const steps = hasUniqueIds ? inOrder(plan, drafts, list, problems) : []
  const mentions = drafts.flatMap((draft) => [...draft.mentions]).filter((id) => !Object.hasOwn(own, id))
  return { steps, scope, mentions: new Set(mentions), problems }
}

function isStep(value: unknown): value is JsonObject {
  return isObject(value)
}

function shadowing(ids: readonly string[], list: string, outer: Readonly<Record<string, unknown>>): SpecProblem[] {
  return ids.flatMap((id, i) => {
    if (!Object.hasOwn(outer, id)) return []
    const message = `step ${id} of the loop is named like a step around it`
    return [problem('SW_BAD_VALUE', `${list}/${i}/id`, message, 'give it another id')]
  })
}

function inOrder(
  plan: readonly JsonObject[],
  drafts: readonly StepDraft[],
  list: string,
  problems: SpecProblem[],
): CompiledStep[] {
  const order = orderSteps(
    drafts.map((draft, i) => {
      const needs = plan[i]!['needs']
      return {
        id: draft.step.id,
        needs: Array.isArray(needs) ? needs.map(String) : null,
        mentions: draft.mentions,
        pointer: `${list}/${i}`,
      }
    }),
  )
  problems.push(...order.problems)
  const byId = new Map(drafts.map((draft) => [draft.step.id, draft.step]))
  return order.sequence.map((id) => ({ ...byId.get(id)!, waitsFor: order.waitsFor.get(id)! }))
}

/** The output of a step that may be skipped has no type the checker could promise. */
function outputTypes(
  plan: readonly JsonObject[],
  blueprint: PlanSurroundings['blueprint'],
): Record<string, JsonObject | null> {
  return Object.fromEntries(
    plan.map((step) => [String(step['id']), step['if'] === undefined ? outputType(step, blueprint) : null]),
  )
}

function outputType(step: JsonObject, blueprint: PlanSurroundings['blueprint']): JsonObject | null {
  if (step['kind'] !== 'blueprint') {
    const declared = step['kind'] === 'agent_task' ? step['outputSchema'] : step['inputSchema']
    return isObject(declared) ? (declared as JsonObject) : null
  }
  const called = blueprint(String(step['ref']))
  if (called === null || !called.ok) return null
  const properties = Object.fromEntries(called.plan.outputs.map(({ name }) => [name, {}]))
  return { type: 'object', properties, additionalProperties: false }
}
