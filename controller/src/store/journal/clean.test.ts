import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { cleanJson, cleanText, jsonText } from './clean.ts'

describe('text that Postgres cannot hold', () => {
  it('is replaced in values and keys, and it is said', () => {
    const cleaned = { 'k\uFFFD': ['a\uFFFD', '\uFFFDx', { b: 'y\uFFFD' }] }
    expect(cleanJson({ 'k\u0000': ['a\u0000', '\ud800x', { b: 'y\udc00' }] })).toEqual({
      value: cleaned,
      sanitized: true,
      text: JSON.stringify(cleaned),
    })
    expect(cleanText('a\u0000\ud83d')).toBe('a\uFFFD\uFFFD')
  })

  it('leaves everything else as it is: pairs of surrogates, escapes that are only text, numbers', () => {
    const value = { emoji: '😀', text: '\\u0000 and \\ud800', n: [1, 2.5, null, true] }
    expect(cleanJson(value)).toEqual({ value, sanitized: false, text: JSON.stringify(value) })
    expect(JSON.parse(jsonText(value))).toEqual(value)
  })

  it('is gone from every JSON text, and only there anything changes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (json) => {
        const value = json as Json
        const text = jsonText(value)
        const parsed = JSON.parse(text) as Json
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(cleanJson(value).value))
        expect(cleanJson(parsed).sanitized).toBe(false)
        if (!cleanJson(value).sanitized) expect(text).toBe(JSON.stringify(value))
      }),
    )
  })
})
