import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

test('pauses grow by the factor up to the longest', () => {
  const backoff = { firstMs: 100, factor: 3, maxMs: 1000, jitter: 0 }
  expect([1, 2, 3, 4, 1000].map((attempt) => backoffMs(backoff, attempt, 0.5))).toEqual([100, 300, 900, 1000, 1000])
})

test('jitter only ever shortens a pause, by at most its part', () => {
  fc.assert(
    fc.property(
      fc.record({
        firstMs: fc.integer({ min: 1, max: 60_000 }),
        factor: fc.double({ min: 1, max: 10, noNaN: true }),
        maxMs: fc.integer({ min: 1, max: 3_600_000 }),
        jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (backoff, attempt, random) => {
        const whole = backoffMs({ ...backoff, jitter: 0 }, attempt, random)
        const pause = backoffMs(backoff, attempt, random)
        expect(pause).toBeLessThanOrEqual(whole)
        expect(pause).toBeGreaterThanOrEqual(Math.floor(whole * (1 - backoff.jitter)))
      },
    ),
  )
})
