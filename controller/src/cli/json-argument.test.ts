import { describe, expect, it } from 'vitest'
import { collect, readPairs } from './json-argument.ts'

describe('readPairs', () => {
  it('keeps the type of a value that is JSON, and takes anything else as text', () => {
    expect(readPairs('--input', ['host=web-1', 'n=3', 'on=true', 'list=[1]', 'text="3"', 'empty=', 'eq=a=b'])).toEqual({
      host: 'web-1',
      n: 3,
      on: true,
      list: [1],
      text: '3',
      empty: '',
      eq: 'a=b',
    })
  })

  it.each(['host', '=x'])('refuses %s with the flag it was given to', (pair) => {
    expect(() => readPairs('--input', [pair])).toThrow(`--input "${pair}" is not key=value`)
  })

  it('keeps the order in which a flag was repeated', () => {
    expect(collect('b', collect('a', undefined))).toEqual(['a', 'b'])
  })
})
