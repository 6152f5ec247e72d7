import { fail } from '../lib/error-catalogue.ts'
import type { StatewardError } from '../lib/errors.ts'
import { tryEvaluate } from './evaluate.ts'
import type { ExpressionValues } from './values.ts'

export type FilterResult =
  | { readonly matched: true }
  /** `missingKey`: the key the filter reads and the event does not have; null when the filter simply said no. */
  | { readonly matched: false; readonly missingKey: string | null; readonly error?: undefined }
  /** The filter itself is wrong (no boolean, wrong types): no match, and worth telling. */
  | { readonly matched: false; readonly missingKey: null; readonly error: StatewardError }

/** A condition over an event: a missing key is no match, not an error. */
export function evaluateFilter(text: string, values: ExpressionValues): FilterResult {
  const result = tryEvaluate(text, values)
  if (!result.ok) {
    return result.missingKey === null
      ? { matched: false, missingKey: null, error: result.error }
      : { matched: false, missingKey: result.missingKey }
  }
  if (result.value === true) return { matched: true }
  if (result.value === false) return { matched: false, missingKey: null }
  const error = fail(
    'SW_EXPRESSION_FAILED',
    `a filter has to be true or false, but this is ${JSON.stringify(result.value)}: ${text}`,
    {
      remedy: 'compare it with something, for example == …',
    },
  )
  return { matched: false, missingKey: null, error }
}

/** The condition of a step (`if`). Unlike a filter, a missing key is an error: SW_EXPRESSION_FAILED. */
export function evaluateCondition(text: string, values: ExpressionValues): boolean {
  const result = tryEvaluate(text, values)
  if (!result.ok) throw result.error
  if (typeof result.value === 'boolean') return result.value
  throw fail(
    'SW_EXPRESSION_FAILED',
    `a condition has to be true or false, but this is ${JSON.stringify(result.value)}: ${text}`,
    {
      remedy: 'compare it with something, for example == …',
    },
  )
}
