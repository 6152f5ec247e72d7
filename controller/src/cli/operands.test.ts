import { describe, expect, it } from 'vitest'
import { kindRowOf } from '../kinds/kind-row.ts'
import { KINDS } from '../kinds/registry.ts'
import declared from './kinds/kind-table.json' with { type: 'json' }
import { KIND_TABLE, kindByWord } from './kinds/kind-table.ts'
import { readOperands, readTarget } from './operands.ts'

const shapeOf = (args: readonly string[]) => readOperands(args).map(({ kind, names }) => [kind.plural, names])

describe('the kind table of the command line', () => {
  it('is what the registry says; npm run generate writes it', () => {
    expect(declared).toEqual(JSON.parse(JSON.stringify(KINDS.map(kindRowOf))))
  })

  it('knows every kind by every word, in any case', () => {
    for (const word of ['agents', 'agent', 'ag', 'Agent', 'AGENTS']) expect(kindByWord(word).kind).toBe('Agent')
    expect(kindByWord('runs').kind).toBe('Run')
  })

  it('names the nearest word for one it does not know', () => {
    expect(() => kindByWord('agnets')).toThrow('there is no kind "agnets"; did you mean "agents"?')
    expect(() => kindByWord('zzzzzz')).toThrow(/^there is no kind "zzzzzz"$/)
  })
})

describe('readOperands', () => {
  it('reads kinds, names, lists of kinds and kind/name', () => {
    expect(shapeOf(['agents'])).toEqual([['agents', []]])
    expect(shapeOf(['ag', 'sre', 'openai'])).toEqual([['agents', ['sre', 'openai']]])
    expect(shapeOf(['agents,bp,ag'])).toEqual([
      ['agents', []],
      ['blueprints', []],
    ])
    expect(shapeOf(['agent/sre', 'run/x-1'])).toEqual([
      ['agents', ['sre']],
      ['runs', ['x-1']],
    ])
    // All but tasks, items of the work graph and the server's own processes.
    expect(shapeOf(['all'])).toHaveLength(KIND_TABLE.length - 3)
  })

  it.each([
    [[], 'name a kind'],
    [['agents,bp', 'sre'], 'names go with one kind only'],
    [['agent/'], '"agent/" names no object'],
    [['a/b/c'], '"a/b/c" names no object'],
    [['agent/sre', 'bp'], '"bp" names no object'],
  ])('refuses %j', (args, message) => {
    expect(() => readOperands(args)).toThrow(message)
  })

  it('reads one object as kind/name or as two words', () => {
    expect(readTarget('agent/sre').name).toBe('sre')
    expect(readTarget('agent', 'sre').kind.kind).toBe('Agent')
    expect(() => readTarget('sre')).toThrow('write kind/name, like agent/sre')
  })
})
