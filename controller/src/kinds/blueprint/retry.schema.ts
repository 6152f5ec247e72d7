import { duration, integer, number, object, optionalAll, text } from '../schema-parts.ts'

export const RETRY_DEFAULTS = { maxAttempts: 3, backoff: '1s', factor: 2, maxBackoff: '30s', jitter: 0.2 } as const

/** `retry` of the steps that ask something outside. */
export const retry = object(
  optionalAll({
    maxAttempts: integer({
      description: 'Attempts in all, the first one counted.',
      minimum: 1,
      maximum: 100,
      default: RETRY_DEFAULTS.maxAttempts,
    }),
    backoff: duration({
      description: 'Pause before the second attempt.',
      default: RETRY_DEFAULTS.backoff,
      min: '1ms',
      max: '1d',
    }),
    factor: number({
      description: 'By how much each pause is longer than the one before.',
      minimum: 1,
      maximum: 10,
      default: RETRY_DEFAULTS.factor,
    }),
    maxBackoff: duration({
      description: 'The longest pause.',
      default: RETRY_DEFAULTS.maxBackoff,
      min: '1ms',
      max: '1d',
    }),
    jitter: number({
      description:
        'Part of a pause that chance may take away, so that steps that failed together do not come back together.',
      minimum: 0,
      maximum: 1,
      default: RETRY_DEFAULTS.jitter,
    }),
    retryIf: text({
      description:
        'CEL over `error` (code, category, message, retryable): true = another attempt. Left out: errors that are marked retryable.',
      minLength: 1,
      maxLength: 4096,
    }),
  }),
  {
    description:
      'Further attempts after a failed one. The timeout of the step counts for each attempt; between two attempts the run costs nothing.',
  },
)
