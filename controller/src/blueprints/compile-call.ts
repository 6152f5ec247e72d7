import { checkTemplate } from '../expressions/check-template.ts'
import { compileExpression } from '../expressions/compile-expression.ts'
import { createScope, type Scope } from '../expressions/scope.ts'
import { hasTemplate, parseTemplate } from '../expressions/template.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { isObject, type Json, type JsonObject, pointerToken } from '../lib/json.ts'
import { schemaViolations, violationsText } from '../lib/json-schema.ts'
import type { CompileResult } from './compile-result.ts'
import type { CalledBlueprint, CompiledInput } from './compiled-plan.ts'
import { nameHint, problem } from './problem.ts'

interface CallDraft {
  readonly inputs: JsonObject
  readonly plan: CalledBlueprint
  readonly mentions: ReadonlySet<string>
  readonly problems: readonly SpecProblem[]
}

/** A plan that stands for one that could not be compiled; its problem is reported where it belongs. */
const NOTHING: CalledBlueprint = { digest: '', inputs: [], steps: [], outputs: [] }

/**
 * A call of a blueprint: its inputs, checked against what that one declares. They may not read `env` and `blackboard`: they are read again
 * after a restart and have to be the same then.
 */
export function compileCall(
  step: Readonly<JsonObject>,
  pointer: string,
  around: Scope,
  compiled: CompileResult | null,
): CallDraft {
  const ref = String(step['ref'])
  const given = isObject(step['inputs']) ? (step['inputs'] as JsonObject) : {}
  const at = `${pointer}/inputs`
  const scope = createScope({ ...around.declaration, env: false, blackboard: false })
  const checked = checkTemplate(given, scope, at)
  const draft = { inputs: given, mentions: checked.mentions.steps }
  if (compiled === null || !compiled.ok) {
    const message = compiled === null ? `there is no blueprint ${ref}` : `blueprint ${ref} is broken`
    const wrong = problem('SW_REFERENCE_BROKEN', `${pointer}/ref`, message, 'correct that blueprint first')
    return { ...draft, plan: NOTHING, problems: [...checked.problems, wrong] }
  }
  const { inputs, steps, outputs } = compiled.plan
  const problems: SpecProblem[] = [...checked.problems]
  const names = inputs.map(({ name }) => name)
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    const message = `blueprint ${ref} has no input ${JSON.stringify(name)}`
    problems.push(problem('SW_UNKNOWN_NAME', `${at}/${pointerToken(name)}`, message, nameHint(name, names)))
  }
  for (const input of inputs) problems.push(...inputProblems(input, given, ref, at, scope))
  return { ...draft, plan: { digest: compiled.digest, inputs, steps, outputs }, problems }
}

function inputProblems(
  input: CompiledInput,
  given: Readonly<JsonObject>,
  ref: string,
  at: string,
  scope: Scope,
): SpecProblem[] {
  if (!Object.hasOwn(given, input.name)) {
    if (!input.required || input.hasDefault) return []
    const message = `blueprint ${ref} needs the input ${input.name}`
    return [problem('SW_MISSING_FIELD', at, message, `add ${input.name}`)]
  }
  if (input.schema === null) return []
  const value = given[input.name]!
  const pointer = `${at}/${pointerToken(input.name)}`
  const wrong = isLiteral(value)
    ? literalProblem(value, input.schema)
    : typeof value === 'string'
      ? typeProblem(value, input.schema, scope)
      : null
  if (wrong === null) return []
  const message = `the input ${input.name} does not fit what blueprint ${ref} takes: ${wrong}`
  return [problem('SW_BAD_VALUE', pointer, message, 'give a value that fits')]
}

function literalProblem(value: Json, schema: JsonObject): string | null {
  const violations = schemaViolations(schema, value)
  return violations.length === 0 ? null : violationsText(violations)
}

/** What the checker knows of the value of a text with `{{ }}`; the value itself is checked when the step starts. */
function typeProblem(text: string, schema: JsonObject, scope: Scope): string | null {
  const parsed = parseTemplate(text)
  if (!parsed.ok) return null
  const [only, ...more] = parsed.parts
  let type = 'string'
  if (more.length === 0 && only !== undefined && 'expression' in only) {
    const compiled = compileExpression(only.expression, scope)
    if (!compiled.ok) return null
    type = compiled.type
  }
  const given = jsonTypeOf(type)
  const wanted = typeof schema['type'] === 'string' ? [schema['type']] : schema['type']
  if (given === null || !Array.isArray(wanted)) return null
  const fits = wanted.includes(given) || (given === 'number' && wanted.includes('integer'))
  return fits ? null : `it is of type ${type}, not ${wanted.join(' or ')}`
}

function jsonTypeOf(type: string): string | null {
  if (type === 'string') return 'string'
  if (type === 'bool') return 'boolean'
  if (type === 'int' || type === 'uint' || type === 'double') return 'number'
  if (type === 'list' || type.startsWith('list<')) return 'array'
  if (type === 'map' || type.startsWith('map<')) return 'object'
  return type === 'null' ? 'null' : null
}

function isLiteral(value: Json): boolean {
  if (typeof value === 'string') return !hasTemplate(value)
  if (Array.isArray(value)) return value.every(isLiteral)
  return !isObject(value) || Object.values(value).every((member) => isLiteral(member as Json))
}
