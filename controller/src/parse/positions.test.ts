import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { isObject, pointerToken } from '../lib/json.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { keyPositionOf, positionOf } from './positions.ts'
import { readYaml } from './yaml.ts'

const TEXT = `# the first document
a: 1
spec:
  plan:
    - {id: first, "with space": 2}
    - id: second
      'a/b': |
        text
  alias: &x {k: v}
  again: *x
---
b: 2
`

describe('positionOf', () => {
  test.each([
    ['', 2, 1],
    ['/a', 2, 4],
    ['/spec/plan/0/id', 5, 12],
    ['/spec/plan/0/with space', 5, 33],
    ['/spec/plan/1', 6, 7],
    ['/spec/plan/1/id', 6, 11],
    ['/spec/again', 10, 11],
  ])('finds %j at line %d, column %d', (pointer, line, column) => {
    expect(positionOf(TEXT, 0, pointer)).toEqual({ line, column })
  })

  test('finds the other documents', () => {
    expect(positionOf(TEXT, 1, '/b')).toEqual({ line: 12, column: 4 })
  })

  test('answers with the nearest parent that is there', () => {
    expect(positionOf(TEXT, 0, '/spec/plan/7/id')).toEqual({ line: 5, column: 5 })
    expect(positionOf(TEXT, 0, '/spec/missing/deeper')).toEqual({ line: 4, column: 3 })
    expect(positionOf(TEXT, 0, '/spec/again/k')).toEqual({ line: 10, column: 11 })
    expect(positionOf(TEXT, 9, '/b')).toEqual({ line: 1, column: 1 })
  })

  test('an offset leads into the text of a value, but not beyond a parent', () => {
    expect(positionOf(TEXT, 0, '/spec/plan/1/id', 3)).toEqual({ line: 6, column: 14 })
    expect(positionOf(TEXT, 0, '/spec/plan/1/none', 3)).toEqual({ line: 6, column: 7 })
  })

  test('counts documents as the reader does, also beside empty and broken ones', () => {
    const text = '# head\n---\n---\na: 1\n---\nb: [\n---\nc: 3\n---\nd: 1\nd: 2\n---\ne: 5\n'
    for (const { index, value } of readYaml(text, DEFAULT_LIMITS).documents) {
      if (!isObject(value)) continue
      const [key] = Object.keys(value)
      const { line } = keyPositionOf(text, index, `/${key}`)
      expect(text.split('\n')[line - 1]).toMatch(new RegExp(`^${key}: `))
    }
    expect(positionOf(text, 5, '/e')).toEqual({ line: 13, column: 4 })
  })

  test('lines may end as on any system, and letters may be wide', () => {
    expect(positionOf('a: 1\r\nb:\r\n  c: 2\r\n', 0, '/b/c')).toEqual({ line: 3, column: 6 })
    expect(positionOf('"ä😀": {b: 1}\n', 0, '/ä😀/b')).toEqual({ line: 1, column: 12 })
  })
})

describe('keyPositionOf', () => {
  test('finds the key where positionOf finds the value', () => {
    expect(keyPositionOf(TEXT, 0, '/spec/plan/0/with space')).toEqual({ line: 5, column: 20 })
    expect(keyPositionOf(TEXT, 0, '/spec/plan')).toEqual({ line: 4, column: 3 })
  })

  test('of a list item is the place of the item', () => {
    expect(keyPositionOf(TEXT, 0, '/spec/plan/1')).toEqual({ line: 6, column: 7 })
  })
})

/** Every pointer of a value whose leaf is a text. */
function* textLeaves(value: unknown, pointer = ''): Iterable<[string, string]> {
  if (typeof value === 'string') yield [pointer, value]
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* textLeaves(item, `${pointer}/${i}`)
  else if (isObject(value))
    for (const [key, member] of Object.entries(value)) yield* textLeaves(member, `${pointer}/${pointerToken(key)}`)
}

test('in any generated file the line and column of a pointer hold its value', () => {
  const leaf = fc.stringMatching(/^[a-z]{3,8}$/)
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  const documents = fc.array(fc.dictionary(leaf, tree, { minKeys: 1, maxKeys: 4, noNullPrototype: true }), {
    minLength: 1,
    maxLength: 3,
  })
  const style = fc.constantFrom('any', 'block', 'flow')
  fc.assert(
    fc.property(documents, style, fc.boolean(), (values, collectionStyle, comments) => {
      const parts = values.map((value) =>
        stringify(value, { collectionStyle, lineWidth: 0, aliasDuplicateObjects: false }),
      )
      const text = parts.join(comments ? '# between\n---\n' : '---\n')
      const lines = text.split('\n')
      for (const [document, value] of values.entries()) {
        for (const [pointer, leafText] of textLeaves(value)) {
          const { line, column } = positionOf(text, document, pointer)
          expect(lines[line - 1]!.slice(column - 1)).toMatch(new RegExp(`^["']?${leafText}`))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('a file with thousands of problems is read once', () => {
  const text = Array.from({ length: 2_000 }, (_, i) => `name: d${i}\nspec: {a: 1, b: [1, 2, 3]}\n`).join('---\n')
  for (let document = 0; document < 2_000; document++) {
    expect(positionOf(text, document, '/spec/b/2').line).toBe(document * 3 + 2)
  }
})
