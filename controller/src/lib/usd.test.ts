import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { centsOf, formatUsd, parseUsd } from './usd.ts'

describe('US dollars', () => {
  it.each([
    ['0', 0n],
    ['25', 25_000_000_000n],
    ['0.00000015', 150n],
    [0.15, 150_000_000n],
    [3, 3_000_000_000n],
  ])('%s is %s nano', (text, nano) => {
    expect(parseUsd(text)).toBe(nano)
  })

  it.each(['-1', '1e3', '', '.5', '1.', '0.0000000001', '1000000000', 'x', -0.1, 1e-10, Number.NaN, 1e12])(
    '%s is no amount',
    (text) => {
      expect(parseUsd(text)).toBeNull()
    },
  )

  it('are printed as they are read', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), (nano) => {
        expect(parseUsd(formatUsd(nano))).toBe(nano)
      }),
    )
  })

  it('are printed with the places they need, at least two', () => {
    expect([0, 1, 1_500_000_000, 25n * 10n ** 9n].map(formatUsd)).toEqual(['0.00', '0.000000001', '1.50', '25.00'])
  })

  it('are rounded for people', () => {
    expect(centsOf(150_000_000n)).toBe(15)
    expect(centsOf(149n)).toBe(0)
    expect(centsOf(123_456_789n)).toBe(12.35)
  })
})
