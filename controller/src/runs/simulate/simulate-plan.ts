import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import { allSteps, compileInlinePlan } from '../../blueprints/inline-plan.ts'
import { hasTemplate } from '../../expressions/template.ts'
import type { SpecProblem } from '../../kinds/definition.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { Blueprints, ToolRunner } from '../ports.ts'
import { type PlannedCall, type Risk, type Simulation, simulateCalls } from './simulate-calls.ts'

export interface SimulateDeps {
  readonly blueprints: Blueprints
  readonly tools: Pick<ToolRunner, 'find'>
  readonly hasAgent: (namespace: string, name: string) => boolean
}

export interface SimulateRequest {
  readonly namespace: string
  /** Steps of a blueprint, or `{skill, params}`; or the name of a blueprint. */
  readonly plan: readonly unknown[] | { readonly blueprint: string }
  readonly inputs: readonly string[]
  readonly budgetCents: number | null
}

/** What keeps a plan from being run. A warning is about values: those of a simulation may stand for others. */
export interface SimulationIssue {
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly path: string
  readonly message: string
  readonly hint: string
}

/**
 * Looks at a plan without running any of it: what it costs and how long it takes by what its tools declare, what is wrong
 * with it, what could go wrong. What nobody declares is never a price of 0: a tool that is not there is an issue, and what an
 * agent does is a risk. SW_NOT_FOUND: there is no such blueprint.
 */
export function simulatePlan(
  deps: SimulateDeps,
  request: SimulateRequest,
): Simulation & { readonly issues: readonly SimulationIssue[] } {
  const { calls, agents, problems } = callsOf(deps, request)
  const simulated = simulateCalls(calls, request.budgetCents)
  const issues = problems.map(issueOf)
  const unpriced = agents.map(
    ({ id, agent }): Risk => ({
      code: 'unpriced',
      severity: 'medium',
      step: id,
      message: `what agent ${agent} does is not priced beforehand`,
    }),
  )
  return {
    ...simulated,
    feasible: simulated.feasible && issues.every(({ severity }) => severity === 'warning'),
    risks: [...simulated.risks, ...unpriced],
    issues,
  }
}

interface Found {
  readonly calls: readonly PlannedCall[]
  readonly agents: readonly { readonly id: string; readonly agent: string }[]
  readonly problems: readonly SpecProblem[]
}

function callsOf(deps: SimulateDeps, { namespace, plan, inputs }: SimulateRequest): Found {
  if (!Array.isArray(plan)) {
    const name = (plan as { readonly blueprint: string }).blueprint
    const found = deps.blueprints.find(namespace, name)
    if (found === null) throw fail('SW_NOT_FOUND', `there is no blueprint ${namespace}/${name}`)
    return { ...ofSteps(deps, allSteps(found.plan.steps), namespace), problems: [] }
  }
  const compiled = compileInlinePlan(
    { namespace, plan, inputs },
    {
      toolSchema: (name) => deps.tools.find(name, namespace)?.inputSchema ?? null,
      blueprint(name) {
        const called = deps.blueprints.find(namespace, name)
        return called === null ? null : { ok: true, plan: called.plan, digest: called.digest }
      },
    },
  )
  const missing = unknownTools(deps, plan, namespace, '/plan')
  const known = new Set(missing.map(({ pointer }) => pointer))
  if (compiled.ok) return { ...ofSteps(deps, allSteps(compiled.plan.steps), namespace), problems: missing }
  const others = compiled.problems.filter(({ pointer }) => !known.has(pointer))
  return { calls: rawCalls(deps, plan, namespace), agents: [], problems: [...missing, ...others] }
}

function ofSteps(deps: SimulateDeps, steps: readonly CompiledStep[], namespace: string): Omit<Found, 'problems'> {
  const calls = steps.flatMap((step): PlannedCall[] => {
    if (step.kind !== 'action_task') return []
    const tool = deps.tools.find(step.action, namespace)
    if (tool === null) return []
    const isKnown = step.request === undefined && !holdsTemplate(step.with)
    return [{ step: step.id, skill: step.action, parameters: isKnown ? step.with : null, tool }]
  })
  return { calls, agents: steps.flatMap((step) => (step.kind === 'agent_task' ? [step] : [])) }
}

/** Calls of a plan that cannot be compiled: those that can be made out are priced all the same. */
function rawCalls(deps: SimulateDeps, plan: readonly unknown[], namespace: string): PlannedCall[] {
  return plan.flatMap((step, i): PlannedCall[] => {
    if (!isObject(step)) return []
    const inner = Array.isArray(step['plan']) ? rawCalls(deps, step['plan'], namespace) : []
    const skill = skillOf(step)
    const tool = skill === null ? null : deps.tools.find(skill.name, namespace)
    if (skill === null || tool === null) return inner
    const given = step['params'] ?? step['with'] ?? {}
    const parameters = isObject(given) && !holdsTemplate(given) ? (given as JsonObject) : null
    const id = typeof step['id'] === 'string' ? step['id'] : `step_${i + 1}`
    return [{ step: id, skill: skill.name, parameters, tool }, ...inner]
  })
}

function unknownTools(deps: SimulateDeps, plan: readonly unknown[], namespace: string, at: string): SpecProblem[] {
  return plan.flatMap((step, i): SpecProblem[] => {
    if (!isObject(step)) return []
    const inner = Array.isArray(step['plan']) ? unknownTools(deps, step['plan'], namespace, `${at}/${i}/plan`) : []
    const skill = skillOf(step)
    if (skill === null || deps.tools.find(skill.name, namespace) !== null) return inner
    const message = `there is no tool ${JSON.stringify(skill.name)} in namespace ${namespace}: nobody knows what it costs`
    const hint = 'list them: stateward get tools'
    return [{ code: 'SW_TOOL_UNKNOWN', pointer: `${at}/${i}/${skill.field}`, message, hint }, ...inner]
  })
}

function skillOf(step: Readonly<Record<string, unknown>>): { readonly name: string; readonly field: string } | null {
  const field = typeof step['skill'] === 'string' ? 'skill' : 'action'
  const name = step[field]
  return typeof name === 'string' ? { name, field } : null
}

function holdsTemplate(value: unknown): boolean {
  if (typeof value === 'string') return hasTemplate(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsTemplate)
}

function issueOf({ code, pointer, message, hint }: SpecProblem): SimulationIssue {
  return { code, severity: code === 'SW_BAD_VALUE' ? 'warning' : 'error', path: `body${pointer}`, message, hint }
}
