import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { canonicalJson } from '../lib/digest.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { cleanJson, cleanText } from '../store/journal/clean.ts'
import type { TaskError } from '../store/queries/tasks.ts'
import { type Redact, redactJson } from './redaction.ts'

/** How an attempt of a task ended, as it is stored. */
export type TaskOutcome =
  | { readonly status: 'completed'; readonly output: Json; readonly sanitized: boolean }
  | { readonly status: 'failed'; readonly error: TaskError; readonly sanitized: boolean }

/** Longest message of a failure, in characters. */
const MAX_MESSAGE = 4096

/**
 * What of an output is stored: secrets taken out, text that Postgres cannot hold replaced by U+FFFD, and only if it fits
 * the step's schema; if not, the task failed with `invalid_output`. The same answer always becomes the same outcome.
 */
export function completed(output: Json, schema: JsonObject | null, redact: Redact): TaskOutcome {
  const { value, sanitized } = cleanJson(redactJson(output, redact))
  const problem = schema === null ? null : misfit(value, schema)
  if (problem !== null)
    return failed('invalid_output', `the output does not fit the outputSchema of the step: ${problem}`, redact)
  return { status: 'completed', output: value, sanitized }
}

export function failed(code: string, message: string, redact: Redact, retryable = false): TaskOutcome {
  const text = redact(message)
  const cleaned = cleanText(text)
  return {
    status: 'failed',
    error: {
      code,
      message: cleaned.length > MAX_MESSAGE ? `…${cleaned.slice(-MAX_MESSAGE)}`.toWellFormed() : cleaned,
      retryable,
    },
    sanitized: cleaned !== text,
  }
}

/** True when a stored task ended exactly like this. */
export function sameOutcome(
  stored: { readonly status: string; readonly output: Json | null; readonly error: TaskError | null },
  outcome: TaskOutcome,
): boolean {
  if (stored.status !== outcome.status) return false
  return outcome.status === 'completed'
    ? canonicalJson(stored.output) === canonicalJson(outcome.output)
    : canonicalJson(stored.error) === canonicalJson(outcome.error)
}

/** Why a schema cannot be used, or null. */
export function schemaProblem(schema: JsonObject): string | null {
  try {
    const ajv = new Ajv({ strict: false })
    addFormats.default(ajv)
    ajv.compile(schema)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What is wrong with a value, or null when it fits. A schema that is itself wrong is a misfit that says so. */
function misfit(value: Json, schema: JsonObject): string | null {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true })
  addFormats.default(ajv)
  try {
    const validate = ajv.compile(schema)
    if (validate(value)) return null
    return ajv.errorsText(validate.errors?.slice(0, 5), { dataVar: 'output', separator: '; ' })
  } catch (error) {
    return `the schema cannot be used: ${error instanceof Error ? error.message : String(error)}`
  }
}
