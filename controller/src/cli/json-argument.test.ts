import { describe, expect, it } from 'vitest'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { collect, readJson, readPairs } from './json-argument.ts'

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

describe('readJson', () => {
  const terminal = fakeTerminal({ input: '[1]' })

  it.each([
    ['{"a":1}', { a: 1 }],
    ['true', true],
    ['"x"', 'x'],
    ['-', [1]],
  ])('reads %s', async (argument, value) => {
    expect(await readJson('--input', argument, terminal)).toEqual(value)
  })

  it('takes anything that is no JSON for the name of a file, and says which one it could not read', async () => {
    await expect(readJson('--input', 'answer.json', terminal)).rejects.toThrow('/nowhere/answer.json cannot be read')
    await expect(readJson('--input', '{"a":', terminal)).rejects.toThrow('--input is not JSON')
  })
})
