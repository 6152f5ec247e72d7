import { describe, expect, it } from 'vitest'
import { commandOf, inputsOf, problemOf } from './command-of.ts'

const spec = {
  inputs: [
    { name: 'host', required: true, schema: { type: 'string' } },
    { name: 'count', schema: { type: 'integer' }, default: 3 },
    { name: 'hosts', schema: { type: 'array' } },
    { name: 'window', schema: { enum: ['short', 'long'] }, default: 'short' },
    { name: 'dry', schema: { type: 'boolean' } },
    'nonsense',
  ],
}
const inputs = inputsOf(spec)
const of = { namespace: 'default', name: 'fix' }

describe('the inputs of a blueprint', () => {
  it('have types one can type', () => {
    expect(inputs.map(({ name, type, initial }) => [name, type, initial])).toEqual([
      ['host', 'string', ''],
      ['count', 'number', '3'],
      ['hosts', 'json', ''],
      ['window', 'choice', 'short'],
      ['dry', 'boolean', ''],
    ])
    expect(inputsOf({})).toEqual([])
  })

  it('say what is wrong with what was typed', () => {
    const [host, count, hosts] = inputs
    expect([problemOf(host!, ' '), problemOf(host!, 'x'), problemOf(count!, '')]).toEqual(['is required', null, null])
    expect(problemOf(count!, 'three')).toBe('has to be a number')
    expect(problemOf(hosts!, '[1')).toContain('JSON')
  })
})

describe('the command that starts a run', () => {
  it('has what was typed, and leaves out what is as it was', () => {
    expect(commandOf(of, inputs, { host: 'web-1', count: '3', window: 'long' })).toBe(
      'stateward run fix --input host=web-1 --input window=long',
    )
  })

  it('quotes for the shell, and keeps the type of what looks like another one', () => {
    expect(commandOf({ ...of, namespace: 'prod' }, inputs, { host: "it's; rm -rf /", hosts: '["a", "b"]' })).toBe(
      `stateward run fix --input 'host=it'\\''s; rm -rf /' --input 'hosts=["a","b"]' -n prod`,
    )
    expect(commandOf(of, inputs, { host: '123' })).toBe(`stateward run fix --input 'host="123"'`)
  })
})
