import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAge, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  test.each([
    ['300ms', 300],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each(['', '5', 's', '-5s', '1.5h', '5 m', '5M', '5s ', '1h30', '٣s'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError)
  })

  test('adds up its parts', () => {
    const part = fc.tuple(fc.nat(10_000), fc.constantFrom('ms', 's', 'm', 'h', 'd'))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const texts = parts.map(([amount, unit]) => `${amount}${unit}`)
        expect(parseDuration(texts.join(''))).toBe(texts.reduce((sum, text) => sum + parseDuration(text), 0))
      }),
    )
  })
})

describe('formatAge', () => {
  test.each([
    [-5, '0s'],
    [999, '0s'],
    [119_999, '119s'],
    [120_000, '2m'],
    [192_000, '3m12s'],
    [600_000, '10m'],
    [179 * 60_000, '179m'],
    [180 * 60_000, '3h'],
    [185 * 60_000, '3h5m'],
    [8 * 3_600_000, '8h'],
    [47 * 3_600_000, '47h'],
    [48 * 3_600_000, '2d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text)
  })

  test('is never longer than two units', () => {
    fc.assert(fc.property(fc.nat({ max: 10 ** 12 }), (ms) => /^\d+[smhd](\d+[sm])?$/.test(formatAge(ms))))
  })
})
