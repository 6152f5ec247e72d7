import { describe, expect, it } from 'vitest'
import { yamlText } from './yaml-text.ts'

describe('a value as YAML', () => {
  it('has its keys in one order, whatever order they came in', () => {
    expect(yamlText({ b: 1, a: [true, 'x: y'] })).toBe(yamlText({ a: [true, 'x: y'], b: 1 }))
    expect(yamlText({ b: 1, a: { c: null } })).toBe('a:\n  c: null\nb: 1\n')
  })

  it('keeps long and odd texts as they are', () => {
    const long = 'word '.repeat(60).trim()
    expect(yamlText({ a: long })).toBe(`a: ${long}\n`)
    expect(yamlText({ a: 'one\ntwo\n' })).toContain('one\n')
  })
})
