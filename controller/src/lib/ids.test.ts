import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isUuid, newCorrelationId, newToken, recordName, uuidv7 } from './ids.ts'

describe('uuidv7', () => {
  test('carries its time, its version and its variant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (ms) => {
        const id = uuidv7(ms)
        expect(isUuid(id)).toBe(true)
        expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(ms)
        expect(id[14]).toBe('7')
        expect('89ab').toContain(id[19])
      }),
    )
  })

  test('sorts by time', () => {
    expect(uuidv7(1_000) < uuidv7(1_001)).toBe(true)
    expect(newCorrelationId()).not.toBe(newCorrelationId())
  })
})

test.each([
  '',
  'x',
  'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6',
  'f81d4fae-7dec-11d0-a765-00a0c91e6bf',
  'f81d4fae7dec11d0a76500a0c91e6bf6',
])('%j is no uuid of ours', (text) => {
  expect(isUuid(text)).toBe(false)
})

test('a record name is a DNS-1123 label of at most 63 characters, whatever the prefix', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/), (prefix) => {
      const name = recordName(prefix)
      expect(name.length).toBeLessThanOrEqual(63)
      expect(name).toMatch(/^[a-z0-9][a-z0-9.-]*-[a-z2-7]{6}$/)
    }),
  )
})

test('a token says what it is for and has 256 bits', () => {
  expect(newToken('a')).toMatch(/^swa_[0-9A-Za-z]{43}$/)
  expect(newToken('k')).toMatch(/^swk_[0-9A-Za-z]{43}$/)
  expect(newToken('k')).not.toBe(newToken('k'))
})
