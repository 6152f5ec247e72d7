import { tryEvaluate } from '../expressions/evaluate.ts'
import type { EventValue } from '../expressions/values.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { pointerToken } from '../lib/json.ts'
import { schemaViolations, violationsText } from '../lib/json-schema.ts'
import type { CompiledInput, CompiledPlan } from './compiled-plan.ts'
import { nameHint } from './problem.ts'

interface InputProblem {
  /** The input. */
  readonly name: string
  /** Pointer into the inputs: `/host`. */
  readonly pointer: string
  readonly message: string
  readonly hint: string
}

export type ResolvedInputs =
  | { readonly ok: true; readonly values: JsonObject }
  | { readonly ok: false; readonly problems: readonly InputProblem[] }

type Value = { readonly value: Json; readonly absent: boolean } | { readonly message: string; readonly hint: string }

/**
 * The inputs of a run: what was given, else what `from` reads from the event, else the default, else null; all checked against their
 * schemas. A key the event does not have, or holds as null, counts as not given. Collects every problem.
 */
export function resolveInputs(
  plan: Pick<CompiledPlan, 'inputs'>,
  given: Readonly<JsonObject>,
  event: EventValue | null,
): ResolvedInputs {
  const problems: InputProblem[] = []
  const values: JsonObject = {}
  const names = plan.inputs.map((input) => input.name)
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    problems.push({
      name,
      pointer: `/${pointerToken(name)}`,
      message: `there is no input ${JSON.stringify(name)}`,
      hint: nameHint(name, names),
    })
  }
  for (const input of plan.inputs) {
    const found = findValue(input, given, event)
    const result = 'message' in found ? found : check(input, found)
    if ('message' in result) problems.push({ name: input.name, pointer: `/${input.name}`, ...result })
    else values[input.name] = result.value
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, values }
}

function findValue(input: CompiledInput, given: Readonly<JsonObject>, event: EventValue | null): Value {
  if (Object.hasOwn(given, input.name)) return { value: given[input.name]!, absent: false }
  if (input.from !== null && event !== null) {
    const result = tryEvaluate(input.from, { event })
    if (result.ok && result.value !== null) return { value: result.value, absent: false }
    if (!result.ok && result.missingKey === null) return { message: result.error.message, hint: result.error.remedy }
  }
  return { value: input.hasDefault ? input.default : null, absent: !input.hasDefault }
}

function check(input: CompiledInput, found: { readonly value: Json; readonly absent: boolean }): Value {
  if (found.absent) {
    if (!input.required) return found
    const hint = input.from === null ? 'give it when the run is started' : `the event has to hold ${input.from}`
    return { message: `the input ${input.name} is required`, hint }
  }
  if (input.schema === null) return found
  const violations = schemaViolations(input.schema, found.value)
  if (violations.length === 0) return found
  return {
    message: `the input ${input.name} does not fit its schema: ${violationsText(violations)}`,
    hint: 'give a value that fits',
  }
}
