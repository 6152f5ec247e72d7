import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agent, manifest, PARSE_OPTIONS } from '../../test/support/state-files.ts'
import { keyOf } from '../kinds/resource.ts'
import { outlineFile } from './outline-file.ts'
import { sketchFile } from './sketch-file.ts'

const inputOf = (text: string) => {
  const bytes = Buffer.from(text)
  return { path: 'a.yaml', oid: 'oid', mode: '100644', size: bytes.length, bytes }
}
const sketch = (text: string) => sketchFile(inputOf(text), PARSE_OPTIONS)
const keysOf = (file: { readonly resources: readonly Parameters<typeof keyOf>[0][] } | null | undefined) =>
  file?.resources.map(keyOf)

const BLOCK = `# a comment
apiVersion: stateward.dev/v1alpha1
kind: Agent   # what it is
metadata:
  labels:
    name: label
  # here
  name: sre
  namespace: prod
spec:
  metadata: {name: inner}
  description: |
    kind: Host
`

describe('the sketch of a file', () => {
  test('knows the name of an object in a block and on one line, and reads the rest when it is asked', () => {
    expect(keysOf(sketch(BLOCK)?.file)).toEqual(['Agent/prod/sre'])
    expect(keysOf(sketch('apiVersion: stateward.dev/v1alpha1\nkind: Host\nmetadata: {name: h}\n')?.file)).toEqual([
      'Host/h',
    ])
    const [resource] = sketch(BLOCK)!.file.resources
    expect(resource).toEqual(outlineFile(inputOf(BLOCK), PARSE_OPTIONS)!.resources[0])
    expect(resource!.labels).toEqual({ name: 'label' })
  })

  test('says nothing of what cannot be read', () => {
    const [resource] = sketch(`${BLOCK}  x: [\n`)!.file.resources
    expect(resource).toMatchObject({ name: 'sre', spec: {}, labels: {} })
  })

  test.each([
    ['several documents', `${agent('a')}---\n${agent('b')}`],
    ['a key that stands twice', `${BLOCK}kind: Agent\n`],
    ['two names', BLOCK.replace('  name: sre', '  name: sre\n  name: x')],
    ['quotes', BLOCK.replace('name: sre', 'name: "sre"')],
    ['a name that YAML takes for a number', BLOCK.replace('name: sre', 'name: 001')],
    ['a name that YAML takes for nothing', BLOCK.replace('name: sre', 'name: null')],
    ['another version', BLOCK.replace('v1alpha1', 'v1')],
    ['a kind nobody knows', BLOCK.replace('kind: Agent', 'kind: Agnet')],
    ['no name', BLOCK.replace('  name: sre\n', '')],
    ['metadata in JSON', manifest('Host', 'h')],
    ['no document', '{}'],
  ])('leaves %s to a parser', (_, text) => {
    const found = sketch(text)
    if (found !== null) expect(keysOf(found.file)).toEqual(keysOf(outlineFile(inputOf(text), PARSE_OPTIONS)))
    else expect(found).toBeNull()
  })

  test('never names another object than a parser does', () => {
    const lines = fc.constantFrom(
      ...['apiVersion: stateward.dev/v1alpha1', 'kind: Agent', 'kind: Host', 'metadata:', 'metadata: {name: a}'],
      ...['metadata: {name: a, namespace: b}', 'metadata: {labels: {name: x}, name: a}', '  name: a', '  name: b'],
      ...[
        '  namespace: c',
        '  labels:',
        '    name: d',
        ' name: e',
        '# name: f',
        '',
        '  - name: g',
        'spec: {}',
        'spec:',
      ],
      ...[
        '  x: |',
        '    kind: Host',
        '  name: a # b',
        '  "name": q',
        '\tname: t',
        'name: z',
        '...',
        '  name: "a"',
        '?',
      ],
    )
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 10 }), fc.boolean(), (list, headed) => {
        const head = headed ? ['apiVersion: stateward.dev/v1alpha1', 'kind: Agent'] : []
        const text = `${[...head, ...list].join('\n')}\n`
        const [found, read] = [sketch(text), outlineFile(inputOf(text), PARSE_OPTIONS)]
        if (found !== null && read !== null) expect(keysOf(found.file)).toEqual(keysOf(read))
      }),
      { numRuns: 3000 },
    )
  })
})
