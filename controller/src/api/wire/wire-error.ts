import type { StatewardError } from '../../lib/errors.ts'
import type { WireFormat } from '../../models/wire/question.ts'

/** An error in one shape that clients of OpenAI and of Anthropic both read. */
export interface WireErrorBody {
  readonly type: 'error'
  readonly error: {
    readonly type: string
    readonly message: string
    readonly code: string
    readonly param: null
    readonly ref: string
    readonly remedy: string
  }
  readonly request_id: string
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
}

export function wireErrorBody(error: StatewardError, correlationId: string): WireErrorBody {
  const { code, ref, remedy, status } = error
  return {
    type: 'error',
    error: {
      type: error.ref === 'SW_OVER_BUDGET' ? 'billing_error' : (TYPES[status] ?? 'api_error'),
      // Clients show the message alone.
      message: remedy === '' ? error.message : `${error.message} (${remedy})`,
      ...{ code, param: null, ref, remedy },
    },
    request_id: correlationId,
  }
}

/** The end of a stream that broke off. */
export function brokenOff(format: WireFormat, error: StatewardError, correlationId: string): string {
  const body = wireErrorBody(error, correlationId)
  switch (format) {
    case 'chat':
      return `data: ${JSON.stringify({ error: body.error })}\n\n`
    case 'messages':
      return `event: error\ndata: ${JSON.stringify(body)}\n\n`
    case 'responses': {
      const { message, code } = body.error
      return `event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param: null, sequence_number: 0 })}\n\n`
    }
  }
}
