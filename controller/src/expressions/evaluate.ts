import { EvaluationError, type ParseResult } from '@marcbachmann/cel-js'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage, type StatewardError } from '../lib/errors.ts'
import type { Json } from '../lib/json.ts'
import { dialect } from './environment.ts'
import { toJson } from './to-json.ts'
import type { ExpressionValues } from './values.ts'

/** For evaluation every variable is dynamic: types were checked when the plan was made, and values are plain JSON. */
const dynamic = dialect.clone()
for (const name of ['inputs', 'steps', 'event', 'run', 'env', 'error']) dynamic.registerVariable(name, 'dyn')

/** Parsed texts; emptied when full, since the texts of the plans in use come back at once. */
const parsed = new Map<string, ParseResult>()
const MAX_PARSED = 10_000

function parse(text: string): ParseResult {
  let expression = parsed.get(text)
  if (expression === undefined) {
    expression = dynamic.parse(text)
    if (parsed.size >= MAX_PARSED) parsed.clear()
    parsed.set(text, expression)
  }
  return expression
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
    return { ok: true, value: toJson(parse(text)({ ...values })) }
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
