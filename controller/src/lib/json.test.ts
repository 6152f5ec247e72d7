import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isObject, pointerKeys, pointerToken, valueAt } from './json.ts'

test('isObject is true for maps only', () => {
  expect([{}, { a: 1 }].every(isObject)).toBe(true)
  expect([null, undefined, [], 'x', 1, true].some(isObject)).toBe(false)
})

describe('pointers', () => {
  test('read what they wrote, with any key', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (keys) => {
        expect(pointerKeys(keys.map((key) => `/${pointerToken(key)}`).join(''))).toEqual(keys)
      }),
    )
  })

  test('escape as RFC 6901 says', () => {
    expect(pointerToken('a/b~c')).toBe('a~1b~0c')
    expect(pointerKeys('/m~01n')).toEqual(['m~1n'])
  })

  test('lead to the value, and to nothing where a part of the way is missing', () => {
    const document = { spec: { plan: [{ id: 'a' }], 'x/y': 1 } }
    expect(valueAt(document, '')).toBe(document)
    expect(valueAt(document, '/spec/plan/0/id')).toBe('a')
    expect(valueAt(document, '/spec/x~1y')).toBe(1)
    expect(valueAt(document, '/spec/plan/1/id')).toBeUndefined()
    expect(valueAt(document, '/spec/plan/0/id/more')).toBeUndefined()
    expect(valueAt(document, '/spec/constructor')).toBeUndefined()
  })
})
