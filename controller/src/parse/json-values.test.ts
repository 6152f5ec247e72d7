import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkJsonValues } from './json-values.ts'

/** Beyond 2^53 is refused, which its own case below shows. */
const smallNumbers = fc.jsonValue({ maxDepth: 5 }).filter((value) => !/[0-9]{16}|e\+/.test(JSON.stringify(value)))

const LIMITS = { maxValues: 1_000, maxDepth: 20 }

describe('checkJsonValues', () => {
  test('accepts every JSON value that is small enough', () => {
    fc.assert(
      fc.property(smallNumbers, (value) => checkJsonValues(value, { maxValues: 100_000, maxDepth: 20 }) === null),
    )
  })

  test.each([
    [Number.NaN, 'SW_UNSAFE_NUMBER'],
    [Number.POSITIVE_INFINITY, 'SW_UNSAFE_NUMBER'],
    [2 ** 53, 'SW_UNSAFE_NUMBER'],
    [-(2 ** 60), 'SW_UNSAFE_NUMBER'],
    ['a\0b', 'SW_UNSAFE_TEXT'],
    ['\ud800', 'SW_UNSAFE_TEXT'],
  ])('refuses %j and says where it stands', (bad, code) => {
    expect(checkJsonValues({ spec: { 'a/b': [1, bad] } }, LIMITS)).toMatchObject({ code, pointer: '/spec/a~1b/1' })
  })

  test('accepts the largest integers a double holds, fractions and pairs of surrogates', () => {
    expect(checkJsonValues([2 ** 53 - 1, -(2 ** 53) + 1, 0.1, 1e-300, '😀'], LIMITS)).toBeNull()
  })

  test('refuses a key that cannot be stored at the map that has it', () => {
    expect(checkJsonValues({ spec: { 'a\0': 1 } }, LIMITS)).toMatchObject({ code: 'SW_UNSAFE_TEXT', pointer: '/spec' })
  })

  test('refuses what expands to more values, or deeper, than the limit', () => {
    let laughs: unknown = ['ha']
    for (let i = 0; i < 12; i++) laughs = [laughs, laughs, laughs]
    expect(checkJsonValues(laughs, LIMITS)).toMatchObject({ code: 'SW_DOCUMENT_TOO_LARGE' })
    let deep: unknown = 1
    for (let i = 0; i < 21; i++) deep = { deep }
    expect(checkJsonValues(deep, LIMITS)).toMatchObject({ code: 'SW_DOCUMENT_TOO_LARGE' })
  })

  test('refuses a value that holds itself instead of walking it for ever', () => {
    const circle: { again?: unknown } = {}
    circle.again = circle
    expect(checkJsonValues(circle, { maxValues: 100_000, maxDepth: 60 })).toMatchObject({
      code: 'SW_DOCUMENT_TOO_LARGE',
    })
  })
})
