import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Measured } from '../store/queries/breaker-metrics.ts'
import { type Metric, tripReason } from './judge.ts'

const nothing: Measured = {
  ended: 0,
  failed: 0,
  tokens: 0,
  amount: 0n,
  toolCalls: 0,
  steps: 0,
  restarts: 0,
  repeated: 0,
}
const reason = (metric: Metric, threshold: number, seen: Partial<Measured>) =>
  tripReason({ metric, threshold, windowMs: 120_000 }, { ...nothing, ...seen })

test('a breaker opens at its threshold and says by what', () => {
  expect(reason('failures', 3, { failed: 2 })).toBeNull()
  expect(reason('failures', 3, { failed: 3 })).toBe('3 failed within 2 min')
  expect(reason('errorRate', 50, { ended: 4, failed: 4 })).toBeNull()
  expect(reason('errorRate', 50, { ended: 6, failed: 3 })).toBe('3 of 6 failed within 2 min')
  expect(reason('errorRate', 50, { ended: 7, failed: 3 })).toBeNull()
  expect(reason('costCents', 10, { amount: 99_999_999n })).toBeNull()
  expect(reason('costCents', 10, { amount: 100_000_000n })).toBe('0.10 USD were spent within 2 min')
  expect(reason('stepsPerMinute', 30, { steps: 59 })).toBeNull()
  expect(reason('stepsPerMinute', 30, { steps: 60 })).toBe('60 steps within 2 min')
  expect(reason('repeatedCalls', 5, { repeated: 5 })).toBe('the same call with the same input 5 times within 2 min')
})

test('what has not happened opens none, and more of it never closes one', () => {
  const metrics: Metric[] = [
    'failures',
    'tokens',
    'costCents',
    'toolCalls',
    'restarts',
    'stepsPerMinute',
    'repeatedCalls',
  ]
  const count = fc.nat(1_000_000)
  fc.assert(
    fc.property(
      fc.constantFrom(...metrics),
      fc.integer({ min: 1, max: 1000 }),
      count,
      count,
      (metric, threshold, a, b) => {
        expect(reason(metric, threshold, {})).toBeNull()
        const seen = (n: number) => ({
          failed: n,
          ended: n,
          tokens: n,
          amount: BigInt(n) * 10_000_000n,
          toolCalls: n,
          restarts: n,
          steps: n,
          repeated: n,
        })
        if (reason(metric, threshold, seen(Math.min(a, b))) !== null)
          expect(reason(metric, threshold, seen(Math.max(a, b)))).not.toBeNull()
      },
    ),
  )
})
