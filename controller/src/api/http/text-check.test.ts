import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkText, MAX_DEPTH } from './text-check.ts'

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)

describe('checkText', () => {
  it('passes any well-formed JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), (value) => {
        fc.pre(!JSON.stringify(value).includes('\\u0000'))
        expect(() => checkText(value, 'body')).not.toThrow()
      }),
    )
  })

  it.each([
    ['a NUL in a value', { a: ['x\u0000'] }],
    ['a NUL in a key', { 'a\u0000': 1 }],
    ['a lone surrogate in a value', { a: { b: '\ud83d' } }],
    ['a lone surrogate in a key', { '\udc00': 1 }],
  ])('refuses %s with 400 invalid_text', (_name, value) => {
    expect(() => checkText(value, 'body')).toThrow(expect.objectContaining({ ref: 'SW_INVALID_TEXT', status: 400 }))
  })

  it('refuses a depth that recursive readers could not follow, without recursing itself', () => {
    expect(() => checkText(nested(MAX_DEPTH), 'body')).not.toThrow()
    expect(() => checkText(nested(10_000), 'body')).toThrow(expect.objectContaining({ ref: 'SW_VALIDATION_FAILED' }))
  })
})
