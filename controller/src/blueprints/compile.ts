import { checkTemplate } from '../expressions/check-template.ts'
import { compileExpression } from '../expressions/compile-expression.ts'
import { eventScope, type Scope } from '../expressions/scope.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { parseDuration } from '../lib/duration.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import { schemaProblem, schemaViolations, violationsText } from '../lib/json-schema.ts'
import { compilePlan } from './compile-plan.ts'
import type { CompileResult } from './compile-result.ts'
import { compileTriggers, scheduleProblems } from './compile-triggers.ts'
import type { CompiledInput, CompiledPlan, CompiledStep } from './compiled-plan.ts'
import { duplicates } from './duplicates.ts'
import { maxNanoUsdOf } from './max-usd.ts'
import { defaultOutputValue } from './output-default.ts'
import { planDigest } from './plan-digest.ts'
import { problem } from './problem.ts'

export interface BlueprintSource {
  readonly namespace: string
  readonly name: string
  /** A spec that passed the schema of Blueprint; defaults may be missing. */
  readonly spec: Readonly<JsonObject>
  /** Where a pointer stands in the state repo, e.g. `blueprints/x.yaml:12:5`; null when that is not known. */
  readonly place: (pointer: string) => string | null
}

export interface CompileSurroundings {
  /** inputSchema of a tool by name or alias, `{}` when the tool has none; null when there is no such tool. */
  readonly toolSchema: (name: string) => JsonObject | null
  /** A blueprint of the same namespace, compiled; null when there is none. Whoever gives it sees to it that none calls itself. */
  readonly blueprint?: (name: string) => CompileResult | null
}

const DEFAULT_MAX_STEPS = 200
const DEFAULT_TIMEOUT = '60m'

/** Makes the plan a run follows, or says everything that is wrong with it. Pure. */
export function compileBlueprint(source: BlueprintSource, around: CompileSurroundings): CompileResult {
  const { spec } = source
  const problems: SpecProblem[] = []
  const { triggers, schedules } = compileTriggers(listOf(spec, 'triggers'), problems)
  const inputs = listOf(spec, 'inputs').map((input, i) =>
    compileInput(input, `/spec/inputs/${i}`, triggers.length > 0, problems),
  )
  const plan = listOf(spec, 'plan')
  problems.push(...scheduleProblems(listOf(spec, 'triggers'), inputs))
  problems.push(...duplicates(inputs, '/spec/inputs', 'name'))
  const declaration = { inputs: inputTypes(inputs), event: true, run: true, env: true, blackboard: true }
  const { toolSchema, blueprint = () => null } = around
  const compiledPlan = compilePlan(plan, '/spec', { declaration, toolSchema, blueprint, place: source.place })
  const { steps } = compiledPlan
  const limits = compileLimits(spec, steps.length === 0 ? plan.length : countSteps(steps), problems)
  problems.push(...compiledPlan.problems)
  const outputs = compileOutputs(spec, plan, compiledPlan.scope, problems)
  if (problems.length > 0) return { ok: false, problems }
  const compiled: CompiledPlan = {
    format: 1,
    blueprint: { namespace: source.namespace, name: source.name },
    triggers,
    schedules,
    inputs,
    limits,
    backpressure: compileBackpressure(spec),
    steps,
    outputs,
    ...(spec['onFailure'] === 'rollback' ? { onFailure: 'rollback' as const } : {}),
  }
  return {
    ok: true,
    plan: compiled,
    get digest() {
      return planDigest(compiled)
    },
  }
}

function listOf(spec: Readonly<JsonObject>, field: string): JsonObject[] {
  const value = spec[field]
  return Array.isArray(value) ? value.filter((item): item is JsonObject => isObject(item)) : []
}

/** Every step counts, those of a loop's plan and of a called blueprint too: once, however often they run. */
export function countSteps(steps: readonly CompiledStep[]): number {
  return steps.reduce((count, step) => count + 1 + countSteps(innerSteps(step)), 0)
}

function innerSteps(step: CompiledStep): readonly CompiledStep[] {
  if (step.kind === 'foreach') return step.steps
  return step.kind === 'blueprint' ? step.plan.steps : []
}

function textOf(object: Readonly<JsonObject>, field: string): string | null {
  const value = object[field]
  return typeof value === 'string' ? value : null
}

/** An input that may be null has no type the checker could promise. */
function inputTypes(inputs: readonly CompiledInput[]): Record<string, JsonObject | null> {
  return Object.fromEntries(
    inputs.map((input) => [input.name, input.required || input.hasDefault ? input.schema : null]),
  )
}

function compileInput(input: JsonObject, pointer: string, triggered: boolean, problems: SpecProblem[]): CompiledInput {
  const name = String(input['name'])
  const schema = isObject(input['schema']) ? (input['schema'] as JsonObject) : null
  const hasDefault = input['default'] !== undefined
  const required = input['required'] === true
  const from = textOf(input, 'from')
  const wrong = schema === null ? null : schemaProblem(schema)
  if (wrong !== null)
    problems.push(
      problem('SW_BAD_VALUE', `${pointer}/schema`, `this is not a JSON Schema: ${wrong}`, 'correct the schema'),
    )
  else if (schema !== null && hasDefault) {
    const violations = schemaViolations(schema, input['default'])
    if (violations.length > 0) {
      const message = `the default of ${name} does not fit its schema: ${violationsText(violations)}`
      problems.push(problem('SW_BAD_VALUE', `${pointer}/default`, message, 'correct the default or the schema'))
    }
  }
  if (from !== null) {
    const compiled = compileExpression(from, eventScope)
    if (!compiled.ok) problems.push({ ...compiled.problem, pointer: `${pointer}/from` })
  } else if (required && !hasDefault && triggered) {
    const message = `the input ${name} is required, but an event that starts a run could not give it`
    problems.push(problem('SW_MISSING_FIELD', pointer, message, `add from: event.data.${name}, or a default`))
  }
  return { name, schema, required, default: input['default'] ?? null, hasDefault, from }
}

function compileLimits(spec: Readonly<JsonObject>, steps: number, problems: SpecProblem[]): CompiledPlan['limits'] {
  const limits = isObject(spec['limits']) ? (spec['limits'] as JsonObject) : {}
  const maxSteps = typeof limits['maxSteps'] === 'number' ? limits['maxSteps'] : DEFAULT_MAX_STEPS
  if (steps > maxSteps) {
    const message = `the plan has ${steps} steps, but limits.maxSteps is ${maxSteps}`
    problems.push(problem('SW_TOO_MANY_STEPS', '/spec/plan', message, 'raise the limit, or split the plan'))
  }
  return {
    maxSteps,
    timeoutMs: parseDuration(textOf(limits, 'timeout') ?? DEFAULT_TIMEOUT),
    concurrency: typeof limits['concurrency'] === 'number' ? limits['concurrency'] : null,
    ...maxNanoUsdOf(limits),
  }
}

function compileBackpressure(spec: Readonly<JsonObject>): CompiledPlan['backpressure'] {
  if (!isObject(spec['backpressure'])) return null
  const { maxPending, ratePerMinute } = spec['backpressure'] as JsonObject
  return {
    maxPending: typeof maxPending === 'number' ? maxPending : null,
    ratePerMinute: typeof ratePerMinute === 'number' ? ratePerMinute : null,
  }
}

function compileOutputs(
  spec: Readonly<JsonObject>,
  plan: readonly JsonObject[],
  scope: Scope,
  problems: SpecProblem[],
): { name: string; value: Json }[] {
  const outputs = listOf(spec, 'outputs')
  problems.push(...duplicates(outputs, '/spec/outputs', 'name'))
  return outputs.map((output, i) => {
    const name = String(output['name'])
    const value = output['value']
    if (value === undefined) return { name, value: defaultOutputValue(String(plan.at(-1)?.['id']), name) }
    problems.push(...checkTemplate(value, scope, `/spec/outputs/${i}/value`).problems)
    return { name, value }
  })
}
