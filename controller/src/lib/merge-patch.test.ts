import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isObject } from './json.ts'
import { mergePatch } from './merge-patch.ts'

describe('mergePatch', () => {
  // The examples of RFC 7396, appendix A.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j and %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result)
  })

  test('takes __proto__ for a key like any other', () => {
    const result = mergePatch({}, JSON.parse('{"__proto__": {"admin": true}, "constructor": {"x": 1}}'))
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
    expect((result as Record<string, unknown>)['admin']).toBeUndefined()
    expect(JSON.stringify(result)).toBe('{"__proto__":{"admin":true},"constructor":{"x":1}}')
  })

  test('changes neither argument, and applying a patch twice is applying it once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const before = JSON.stringify([target, patch])
        const once = mergePatch(target, patch)
        expect(JSON.stringify([target, patch])).toBe(before)
        expect(mergePatch(once, patch)).toEqual(once)
      }),
    )
  })

  test('an empty map as patch changes no map, and no null of a patch survives', () => {
    const hasNull = (value: unknown): boolean =>
      value === null || (isObject(value) && Object.values(value).some(hasNull))
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(mergePatch(value, {})).toEqual(value)
        expect(hasNull(mergePatch({}, value))).toBe(false)
      }),
    )
  })
})
