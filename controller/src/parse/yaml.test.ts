import fc from 'fast-check'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments, parseDocument, stringify } from 'yaml'
import { DEFAULT_LIMITS } from './limits.ts'
import { readYaml, splitDocuments } from './yaml.ts'

const read = (text: string) => readYaml(text, DEFAULT_LIMITS)
const valuesOf = (text: string) => read(text).documents.map(({ value }) => value)
const codesOf = (text: string) => read(text).problems.map(({ code }) => code)

describe('readYaml', () => {
  test('reads every document with its number, an empty one as null', () => {
    expect(read('a: 1\n---\n---\nb: 2\n')).toEqual({
      documents: [
        { index: 0, value: { a: 1 } },
        { index: 1, value: null },
        { index: 2, value: { b: 2 } },
      ],
      problems: [],
    })
    expect(read('')).toEqual({ documents: [], problems: [] })
    expect(read('# only a comment\n')).toEqual({ documents: [], problems: [] })
  })

  test('reads as YAML 1.2 core: yes, dates and sexagesimals stay text, << is a key', () => {
    expect(valuesOf('a: yes\nb: 2020-01-01\nc: 0o17\nd: 12:30\ne: ~\nf: .5\nbase: &x {k: 1}\ng: {<<: *x}\n')).toEqual([
      { a: 'yes', b: '2020-01-01', c: 15, d: '12:30', e: null, f: 0.5, base: { k: 1 }, g: { '<<': { k: 1 } } },
    ])
  })

  test.each([
    ['a: 1\na: 2\n', 'SW_DUPLICATE_KEY', 2, 1],
    ['a:\n\tb: 1\n', 'SW_YAML_SYNTAX', 2, 1],
    ['a: [1, 2\n', 'SW_YAML_SYNTAX', 2, 1],
    ['a: "never closed\nb: 1\n', 'SW_YAML_SYNTAX', 2, 1],
    ['a: b: c\n', 'SW_YAML_SYNTAX', 1, 5],
    ['a: *nowhere\n', 'SW_YAML_ALIASES', 1, 5],
    ['a: !!binary aGk=\n', 'SW_YAML_TAG', 1, 4],
    ['a: !secret x\n', 'SW_YAML_TAG', 1, 4],
    ['? {a: b}\n: c\n', 'SW_YAML_SYNTAX', 1, 1],
    ['a: \u0001\n', 'SW_YAML_SYNTAX', 1, 4],
  ])('%j is %s at line %d, column %d', (text, code, line, column) => {
    expect(read(text).problems).toMatchObject([{ code, line, column }])
  })

  test('limits nesting and aliases', () => {
    expect(codesOf(`a: ${'['.repeat(70)}${']'.repeat(70)}`)).toEqual(['SW_DOCUMENT_TOO_LARGE'])
    expect(codesOf(`a: ${'['.repeat(100_000)}`)).toEqual(['SW_DOCUMENT_TOO_LARGE'])
    const aliases = Array.from({ length: 60 }, (_, i) => `k${i}: *a`).join('\n')
    expect(codesOf(`a: &a 1\n${aliases}\n`)).toEqual(['SW_YAML_ALIASES'])
  })

  test('a broken document hides no other one, and numbers and lines stay those of the file', () => {
    const text = '# head\n---\n---\na: 1\n---\nb: [\n---\nc: 3\n---\nd: 1\nd: 2\n'
    expect(read(text).documents).toEqual([
      { index: 0, value: null },
      { index: 1, value: { a: 1 } },
      { index: 3, value: { c: 3 } },
    ])
    expect(read(text).problems).toMatchObject([
      { code: 'SW_YAML_SYNTAX', line: 6 },
      { code: 'SW_DUPLICATE_KEY', line: 11, column: 1 },
    ])
  })

  test('a directive belongs to the document below it', () => {
    expect(read('%YAML 1.2\n---\na: 1\n---\nb: [\n').documents).toEqual([{ index: 0, value: { a: 1 } }])
  })

  test('throws for no text at all', () => {
    const piece = fc.constantFrom(
      'a: ',
      'b',
      '- ',
      '\n',
      '  ',
      '\t',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&x ',
      '*x',
      '!!int ',
      '---\n',
      '...\n',
      '|\n',
      '>-\n',
      '? ',
      ': ',
      ', ',
      '# ',
      '%',
      '\u0000',
      '\ud800',
      '\u2028',
      '1',
      '.nan',
      '<<: ',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { documents, problems } = read(pieces.join(''))
        for (const found of [...documents, ...problems]) expect(found).toBeDefined()
        for (const { line, column } of problems) expect(Math.min(line, column)).toBeGreaterThanOrEqual(1)
      }),
      { numRuns: 2_000 },
    )
  })
})

test('the pieces of a file are the file, but for a head without content', () => {
  const line = fc.constantFrom('---', '--- # x', 'a: 1', '', '# c', '----', ' ---', '--- a')
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const pieces = splitDocuments(lines.join('\n'))
      const start = pieces[0]?.firstLine ?? lines.length
      expect(lines.slice(0, start).every((head) => head === '' || head.startsWith('#'))).toBe(true)
      expect(pieces.map(({ text }) => text).join('\n')).toBe(lines.slice(start).join('\n'))
    }),
  )
})

/** JSON values that both parsers can say: no key twice is possible in a value, and numbers stay within a double. */
const jsonValues = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

describe('js-yaml, which decides, and yaml, which edits, read the same', () => {
  test('what yaml writes, in any of its styles', () => {
    const styles = fc.record({
      collectionStyle: fc.constantFrom('any', 'block', 'flow'),
      defaultStringType: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'),
      indent: fc.integer({ min: 2, max: 4 }),
      lineWidth: fc.constantFrom(0, 20, 80),
    })
    fc.assert(
      fc.property(jsonValues, styles, (value, style) => {
        const text = stringify(value, { ...style, aliasDuplicateObjects: false })
        expect(load(text)).toEqual(value)
        expect(parseDocument(text).toJS()).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  test('what was edited: the value arrives, everything else and every comment stay', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/)
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 5 }),
        jsonValues,
        jsonValues,
        fc.nat(4),
        (keys, old, next, at) => {
          const text = keys.map((key) => `# about ${key}\n${key}: ${JSON.stringify(old)} # beside ${key}\n`).join('')
          const edited = parseDocument(text)
          const key = keys[at % keys.length]!
          edited.set(key, next)
          const written = edited.toString()
          expect(load(written)).toEqual({ ...(load(text) as object), [key]: next })
          for (const kept of keys) expect(written).toContain(`# about ${kept}`)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('plain scalars, whatever they look like', () => {
    const looks = fc.oneof(
      fc.stringMatching(/^[-+]?[0-9._]{1,8}$/),
      fc.stringMatching(/^0[box][0-9a-fA-F]{1,6}$/),
      fc.stringMatching(/^[-+]?[0-9]{1,3}(\.[0-9]{0,3})?[eE][-+]?[0-9]{1,2}$/),
      fc.stringMatching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}Z?)?$/),
      fc.constantFrom(
        'yes',
        'No',
        'on',
        'OFF',
        'true',
        'True',
        'TRUE',
        'tRUE',
        'null',
        'Null',
        'NULL',
        '~',
        '',
        '.inf',
        '-.INF',
        '.nan',
        '.NaN',
        '=',
        '<<',
        'y',
        'n',
        '1_000',
        '0o8',
        '012',
        '1:30',
        '0b11',
      ),
    )
    fc.assert(
      fc.property(looks, (scalar) => {
        expect(read(`a: ${scalar}\n`).documents.map(({ value }) => value)).toEqual(
          parseAllDocuments(`a: ${scalar}\n`).map((document) => document.toJS()),
        )
      }),
      { numRuns: 1_000 },
    )
  })
})
