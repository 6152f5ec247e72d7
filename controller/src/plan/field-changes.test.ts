import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../lib/digest.ts'
import { valueAt } from '../lib/json.ts'
import { fieldChanges } from './field-changes.ts'

const values = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

describe('fieldChanges', () => {
  test('names added, removed and replaced fields by their pointers', () => {
    const from = { kept: 1, gone: { deep: true }, list: ['a', 'b'], 'a/b': 'x', type: { was: 'map' } }
    const to = { kept: 1, fresh: null, list: ['a', 'c', 'd'], 'a/b': 'y', type: 'text' }
    expect(fieldChanges(from, to, '/spec')).toEqual([
      { op: 'replace', pointer: '/spec/a~1b', from: 'x', to: 'y' },
      { op: 'add', pointer: '/spec/fresh', to: null },
      { op: 'remove', pointer: '/spec/gone', from: { deep: true } },
      { op: 'replace', pointer: '/spec/list/1', from: 'b', to: 'c' },
      { op: 'add', pointer: '/spec/list/2', to: 'd' },
      { op: 'replace', pointer: '/spec/type', from: { was: 'map' }, to: 'text' },
    ])
  })

  test('are none exactly when the values are equal', () => {
    fc.assert(
      fc.property(
        values,
        values,
        (a, b) => (fieldChanges(a, b).length === 0) === (canonicalJson(a) === canonicalJson(b)),
      ),
    )
    fc.assert(fc.property(values, (a) => fieldChanges(a, structuredClone(a)).length === 0))
  })

  test('each tells what stood there and what stands there now', () => {
    fc.assert(
      fc.property(values, values, (from, to) => {
        for (const change of fieldChanges(from, to)) {
          if (change.op !== 'add') expect(valueAt(from, change.pointer)).toEqual(change.from)
          if (change.op !== 'remove') expect(valueAt(to, change.pointer)).toEqual(change.to)
        }
      }),
    )
  })
})
