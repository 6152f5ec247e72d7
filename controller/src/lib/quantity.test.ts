import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBytes, parseQuantity, QUANTITY_PATTERN } from './quantity.ts'

describe('a quantity', () => {
  it.each([
    ['2', 2],
    ['500m', 0.5],
    ['1.5', 1.5],
    ['16Gi', 16 * 2 ** 30],
    ['100G', 100e9],
    ['512Mi', 512 * 2 ** 20],
    ['0', 0],
  ])('%s is %d', (text, amount) => {
    expect(parseQuantity(text)).toBe(amount)
  })

  it.each(['', 'a', '-1', '1 Gi', '1gi', '1e9', '.5', '1.', 'NaN'])('refuses "%s"', (text) => {
    expect(() => parseQuantity(text)).toThrow(RangeError)
  })

  it('takes exactly what its pattern takes', () => {
    const pattern = new RegExp(QUANTITY_PATTERN)
    fc.assert(
      fc.property(fc.oneof(fc.stringMatching(/^[0-9.mkGi-]{0,6}$/), fc.stringMatching(pattern)), (text) => {
        if (pattern.test(text)) expect(parseQuantity(text)).toBeGreaterThanOrEqual(0)
        else expect(() => parseQuantity(text)).toThrow(RangeError)
      }),
    )
  })

  it('is printed in the largest unit that fits', () => {
    expect(formatBytes(16 * 2 ** 30)).toBe('16Gi')
    expect(formatBytes(15.62 * 2 ** 30)).toBe('15.6Gi')
    expect(formatBytes(1000)).toBe('1000')
  })
})
