import { assertNever } from '../lib/assert-never.ts'
import { formatUsd } from '../lib/usd.ts'
import type { Measured } from '../store/queries/breaker-metrics.ts'

export type Metric =
  | 'failures'
  | 'errorRate'
  | 'tokens'
  | 'costCents'
  | 'toolCalls'
  | 'restarts'
  | 'stepsPerMinute'
  | 'repeatedCalls'

/** A share of fewer says nothing. */
const LEAST_ENDED = 5
const NANO_A_CENT = 10_000_000n

/** Why a breaker opens, in words; null = it stays as it is. Pure; nothing is rounded in favour of the target. */
export function tripReason(
  { metric, threshold, windowMs }: { readonly metric: Metric; readonly threshold: number; readonly windowMs: number },
  seen: Measured,
): string | null {
  const within = `within ${windowMs % 60_000 === 0 ? `${windowMs / 60_000} min` : `${windowMs / 1000} s`}`
  const most = (count: number, what: string) => (count >= threshold ? `${count} ${what} ${within}` : null)
  switch (metric) {
    case 'failures':
      return most(seen.failed, 'failed')
    case 'errorRate':
      if (seen.ended < LEAST_ENDED || seen.failed * 100 < threshold * seen.ended) return null
      return `${seen.failed} of ${seen.ended} failed ${within}`
    case 'tokens':
      return most(seen.tokens, 'tokens were used')
    case 'costCents':
      return seen.amount >= BigInt(threshold) * NANO_A_CENT
        ? `${formatUsd(seen.amount)} USD were spent ${within}`
        : null
    case 'toolCalls':
      return most(seen.toolCalls, 'calls of tools')
    case 'restarts':
      return most(seen.restarts, 'restarts')
    case 'stepsPerMinute':
      return seen.steps * 60_000 >= threshold * windowMs ? `${seen.steps} steps ${within}` : null
    case 'repeatedCalls':
      return seen.repeated >= threshold ? `the same call with the same input ${seen.repeated} times ${within}` : null
    default:
      return assertNever(metric)
  }
}
