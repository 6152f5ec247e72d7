import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nanoUsd, USD_PATTERN, usdText } from './money.ts'

describe('money', () => {
  it('is counted without fractions', () => {
    expect(nanoUsd('0.00015')).toBe(150_000)
    expect(nanoUsd('12')).toBe(12_000_000_000)
    expect(nanoUsd('999999.999999999')).toBe(999_999_999_999_999)
  })

  it('is shown with the places it needs, at least two', () => {
    expect(usdText(0)).toBe('0.00')
    expect(usdText(1)).toBe('0.000000001')
    expect(usdText(1_500_000_000)).toBe('1.50')
  })

  it('comes back as it was shown', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (nano) => {
        expect(usdText(nano)).toMatch(new RegExp(USD_PATTERN))
        expect(nanoUsd(usdText(nano))).toBe(nano)
      }),
    )
  })
})
