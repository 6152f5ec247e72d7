import { ERRORS, type ErrorRef, fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import { isConnectionLoss } from '../../store/database-errors.ts'
import { ViolationsError } from './validation.ts'

/** The one shape of an error, on every route but `/kube` (which speaks metav1.Status). */
export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details: {
      readonly ref: string
      readonly remedy: string
      readonly violations?: readonly unknown[]
      readonly [key: string]: unknown
    }
  }
  readonly correlation_id: string
}

export function errorBody(error: StatewardError, correlationId: string): ErrorBody {
  return {
    error: {
      code: error.code,
      message: error.message,
      details: { ...error.details, ref: error.ref, remedy: error.remedy },
    },
    correlation_id: correlationId,
  }
}

/** Fastify's own failures, by their code. */
const FRAMEWORK: Record<string, ErrorRef> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'SW_BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'SW_UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'SW_INVALID_JSON',
  FST_ERR_CTP_INVALID_JSON_BODY: 'SW_INVALID_JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'SW_INVALID_JSON',
  FST_ERR_BAD_URL: 'SW_BAD_REQUEST',
  FST_ERR_MAX_PARAM_LENGTH: 'SW_BAD_REQUEST',
}

/**
 * Any thrown value as an error of the catalogue. What nobody foresaw becomes SW_INTERNAL with a message that tells nothing
 * of the inside; the log has it under the correlation id.
 */
export function toStatewardError(error: unknown): StatewardError {
  if (error instanceof StatewardError) return error
  if (error instanceof ViolationsError) {
    const first = error.violations[0]
    const more = error.violations.length > 1 ? ` (and ${error.violations.length - 1} more)` : ''
    return fail('SW_VALIDATION_FAILED', `${first?.path ?? 'the request'} ${first?.message ?? 'is wrong'}${more}`, {
      details: { violations: error.violations },
    })
  }
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string }
  const ref = code === undefined ? undefined : FRAMEWORK[code]
  if (ref !== undefined) return fail(ref, message ?? ERRORS[ref].code, { cause: error })
  if (error instanceof SyntaxError && statusCode === 400)
    return fail('SW_INVALID_JSON', 'the body is not JSON', { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return fail('SW_BAD_REQUEST', message ?? 'bad request', { cause: error })
  // ENOENT is a socket that is not there to the store, but here it may be any file.
  if (code !== 'ENOENT' && isConnectionLoss(error))
    return fail('SW_DATABASE_UNREACHABLE', 'the database does not answer', { cause: error })
  return fail('SW_INTERNAL', 'something went wrong inside the server', { cause: error })
}
