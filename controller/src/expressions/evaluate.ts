import { type Environment, EvaluationError, type ParseResult } from '@marcbachmann/cel-js'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage, type StatewardError } from '../lib/errors.ts'
import type { Json } from '../lib/json.ts'
import { dialect } from './environment.ts'
import { toJson } from './to-json.ts'
import type { ExpressionValues } from './values.ts'

/** For evaluation every variable is dynamic: types were checked when the plan was made, and values are plain JSON. */
const dynamic = withVariables(dialect, ['inputs', 'steps', 'event', 'run', 'env', 'error', 'blackboard'])
/** The same with the variables of a loop, by their names. */
const loops = new Map<string, Environment>()

function withVariables(environment: Environment, names: readonly string[]): Environment {
  const more = environment.clone()
  for (const name of names) more.registerVariable(name, 'dyn')
  return more
}

/** Parsed texts; emptied when full, since the texts of the plans in use come back at once. */
const parsed = new Map<string, ParseResult>()
const MAX_PARSED = 10_000

function parse(text: string, variables: readonly string[]): ParseResult {
  const names = variables.join(',')
  const key = names === '' ? text : `${names}\n${text}`
  let expression = parsed.get(key)
  if (expression === undefined) {
    expression = environmentWith(names, variables).parse(text)
    if (parsed.size >= MAX_PARSED) parsed.clear()
    parsed.set(key, expression)
  }
  return expression
}

function environmentWith(names: string, variables: readonly string[]): Environment {
  if (names === '') return dynamic
  let environment = loops.get(names)
  if (environment === undefined) {
    environment = withVariables(dynamic, variables)
    if (loops.size >= MAX_PARSED) loops.clear()
    loops.set(names, environment)
  }
  return environment
}

/** What the library reports when a key, an index or the value of an optional is not there. */
const MISSING = new Set(['no_such_key', 'index_out_of_bounds', 'optional_value_missing'])

export type Evaluation =
  | { readonly ok: true; readonly value: Json }
  /** `missingKey`: the key that was not there, when that was the cause. */
  | { readonly ok: false; readonly missingKey: string | null; readonly error: StatewardError }

/** Evaluates a CEL text; never throws for what the text or the values do. */
export function tryEvaluate(text: string, values: ExpressionValues): Evaluation {
  try {
    const { variables = {}, ...known } = values
    return { ok: true, value: toJson(parse(text, Object.keys(variables))({ ...known, ...variables })) }
  } catch (cause) {
    const failure = cause instanceof EvaluationError ? cause : null
    const offset = failure?.range?.start ?? 0
    const missingKey = failure !== null && MISSING.has(failure.code) ? missingKeyOf(failure, text) : null
    const message = failure?.summary ?? errorMessage(cause)
    return {
      ok: false,
      missingKey,
      error: fail('SW_EXPRESSION_FAILED', `${message}: ${text}`, {
        details: { expression: text, offset, missing_key: missingKey },
        cause,
        ...(missingKey === null ? { remedy: 'correct the expression, or the value it reads' } : {}),
      }),
    }
  }
}

function missingKeyOf(failure: EvaluationError, text: string): string {
  return text.slice(failure.range?.start ?? 0, failure.range?.end ?? text.length)
}

/** The value of a CEL text. Throws SW_EXPRESSION_FAILED; details: expression, offset, missing_key (null for any other cause). */
export function evaluateExpression(text: string, values: ExpressionValues): Json {
  const result = tryEvaluate(text, values)
  if (result.ok) return result.value
  throw result.error
}
