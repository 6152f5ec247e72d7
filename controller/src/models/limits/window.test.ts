import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WINDOW_MS, waitFor } from './window.ts'

const NOW = new Date('2026-03-01T12:00:00.000Z')
const ago = (ms: number, tokens = 10) => ({ started_at: new Date(NOW.getTime() - ms), tokens })

test('without a limit nothing waits', () => {
  expect(waitFor({}, [ago(1), ago(0)], 1e9, NOW)).toBe(0)
})

test('the call after the last one of the minute waits until the oldest leaves it', () => {
  expect(waitFor({ requestsPerMinute: 2 }, [ago(50_000)], 1, NOW)).toBe(0)
  expect(waitFor({ requestsPerMinute: 2 }, [ago(50_000), ago(10_000)], 1, NOW)).toBe(10_000)
  expect(waitFor({ requestsPerMinute: 1 }, [ago(50_000), ago(10_000)], 1, NOW)).toBe(50_000)
})

test('tokens wait until as many have left the window as are needed', () => {
  const calls = [ago(40_000, 60), ago(30_000, 30)]
  expect(waitFor({ tokensPerMinute: 100 }, calls, 10, NOW)).toBe(0)
  expect(waitFor({ tokensPerMinute: 100 }, calls, 20, NOW)).toBe(20_000)
  expect(waitFor({ tokensPerMinute: 100 }, calls, 80, NOW)).toBe(30_000)
})

test('what is larger than the limit goes when nothing else is in the window', () => {
  expect(waitFor({ tokensPerMinute: 100 }, [], 1000, NOW)).toBe(0)
})

test('who waits as long as he is told may go then', () => {
  const call = fc.record({ age: fc.integer({ min: 0, max: WINDOW_MS - 1 }), tokens: fc.integer({ min: 0, max: 50 }) })
  const limits = fc.record({
    requestsPerMinute: fc.integer({ min: 1, max: 5 }),
    tokensPerMinute: fc.integer({ min: 1, max: 100 }),
  })
  fc.assert(
    fc.property(fc.array(call, { maxLength: 8 }), limits, fc.integer({ min: 1, max: 200 }), (drawn, given, tokens) => {
      const calls = drawn.toSorted((a, b) => b.age - a.age).map(({ age, tokens: of }) => ago(age, of))
      const wait = waitFor(given, calls, tokens, NOW)
      const later = new Date(NOW.getTime() + wait)
      const left = calls.filter(({ started_at }) => started_at.getTime() > later.getTime() - WINDOW_MS)
      expect(waitFor(given, left, tokens, later)).toBe(0)
    }),
  )
})
