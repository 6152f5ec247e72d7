import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crashesAfter, restartDelayMs, STABLE_MS } from './backoff.ts'

describe('the pause before a restart', () => {
  test('is none before the first start', () => {
    expect(restartDelayMs(0, 'a')).toBe(0)
  })

  test('begins at half a second and doubles, with at most a fifth on top', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.string(), (crashes, seed) => {
        const floor = Math.min(500 * 2 ** (crashes - 1), 300_000)
        const delay = restartDelayMs(crashes, seed)
        expect(delay).toBeGreaterThanOrEqual(floor)
        expect(delay).toBeLessThanOrEqual(floor * 1.2 + 1)
        expect(restartDelayMs(crashes, seed)).toBe(delay)
      }),
    )
  })

  test('differs between instances that died together', () => {
    expect(new Set(['a', 'b', 'c', 'd'].map((seed) => restartDelayMs(5, seed))).size).toBe(4)
  })
})

describe('counting crashes', () => {
  test('a process that lasted starts the count anew', () => {
    expect(crashesAfter({ crashCount: 7, ranMs: STABLE_MS })).toBe(1)
  })

  test('one that did not last adds to it', () => {
    expect(crashesAfter({ crashCount: 7, ranMs: STABLE_MS - 1 })).toBe(8)
  })
})
