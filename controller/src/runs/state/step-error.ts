import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { StepError } from '../ports.ts'

const MAX_MESSAGE = 4096
const MAX_DEPTH = 16
/** Codes that say more than where they were met. */
const CATEGORIES: Readonly<Record<string, StepError['category']>> = {
  deadline_exceeded: 'timeout',
  run_timeout: 'timeout',
  cancelled: 'cancelled',
  budget_exceeded: 'budget',
}

/** An error as data, its causes inside it down to the root. */
export function stepError(error: unknown, category: StepError['category'], depth = 0): StepError {
  const cause = error instanceof Error && error.cause !== undefined && depth < MAX_DEPTH ? error.cause : undefined
  const known = error instanceof StatewardError ? error : null
  return {
    code: known?.code ?? 'internal',
    category: (known === null ? undefined : CATEGORIES[known.code]) ?? category,
    message: errorMessage(error).slice(0, MAX_MESSAGE),
    retryable: known !== null && (known.status === 429 || known.status === 503 || known.details['retryable'] === true),
    ...(cause === undefined ? {} : { cause: stepError(cause, category, depth + 1) }),
    ...(known === null ? {} : { details: detailsOf(known) }),
  }
}

/** The error of whatever ends because a step failed: what the step failed with, and that as its cause. */
export function causedBy(path: string, cause: StepError): StepError {
  const { code, category, retryable } = cause
  const message = `step ${path} failed: ${cause.message}`.slice(0, MAX_MESSAGE)
  return { code, category, message, retryable, cause, details: { ...cause.details, step: path } }
}

function detailsOf(error: StatewardError): JsonObject {
  return { ...storable(error.details), ref: error.ref, remedy: error.remedy }
}

/** Through JSON, so that what cannot be stored is gone here and not in the database. */
function storable(details: Record<string, unknown>): JsonObject {
  try {
    return JSON.parse(JSON.stringify(details)) as JsonObject
  } catch (problem) {
    return { details: `they cannot be stored: ${errorMessage(problem)}` }
  }
}

export function asJson(error: StepError): Json {
  return error as unknown as Json
}
