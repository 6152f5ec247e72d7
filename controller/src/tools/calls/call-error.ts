import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { cleanText } from '../text.ts'

const MAX_MESSAGE = 4096
const MAX_DETAILS = 16 * 1024

/** An error as rows and answers have it: `{code, ref, message, remedy, retryable, details?}`. */
export function callError(error: unknown): JsonObject {
  const message = cleanText(errorMessage(error)).slice(0, MAX_MESSAGE)
  if (!(error instanceof StatewardError))
    return { code: 'internal', ref: 'SW_INTERNAL', message, remedy: '', retryable: false }
  const { code, ref, remedy, status } = error
  const details = cleanText(JSON.stringify(error.details))
  return {
    code,
    ref,
    message,
    remedy,
    retryable: status === 429 || status === 503 || error.details['retryable'] === true,
    ...(details === '{}' || details.length > MAX_DETAILS ? {} : { details: JSON.parse(details) as JsonObject }),
  }
}
