import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agent, manifest, PARSE_OPTIONS, parsed } from '../../test/support/state-files.ts'
import { keyOf } from '../kinds/resource.ts'
import { placeOf } from '../lib/issue.ts'
import { isLookedAt, isManifestPath, parseFile } from './parse-file.ts'
import type { ParsedFile } from './parsed-file.ts'

const told = (file: ParsedFile) => file.issues.map((issue) => `${placeOf(issue)} ${issue.severity} ${issue.code}`)
const keys = (file: ParsedFile) => file.resources.map(keyOf)

describe('which files are looked at', () => {
  test.each(['a.yaml', 'a.yml', 'deep/er/A.YAML', 'a.json', 'package.yaml'])('%s may be a manifest', (path) => {
    expect(isManifestPath(path)).toBe(true)
  })

  test.each([
    'a.md',
    'yaml',
    '.github/workflows/ci.yaml',
    '.hidden.yaml',
    'ui/package.json',
    'package-lock.json',
    'tsconfig.build.json',
  ])('%s is no manifest', (path) => {
    expect(isManifestPath(path)).toBe(false)
  })

  test('a submodule is looked at whatever its name, for it may hold manifests', () => {
    expect(isLookedAt({ path: 'agents', mode: '160000' })).toBe(true)
    expect(isLookedAt({ path: 'agents', mode: '120000' })).toBe(false)
  })
})

describe('parseFile', () => {
  test('reads a document with its labels, its digest and where it stands', () => {
    const file = parsed(
      'a/sre.yaml',
      `# yaml-language-server: $schema=x\n${agent('sre', {}, { labels: { team: 'a' } })}`,
    )
    expect(file).toMatchObject({ path: 'a/sre.yaml', issues: [], ignored: 0, identified: [], unidentified: false })
    expect(file.resources).toMatchObject([
      {
        kind: 'Agent',
        namespace: 'default',
        name: 'sre',
        labels: { team: 'a' },
        annotations: {},
        origin: { file: 'a/sre.yaml', document: 0 },
      },
    ])
  })

  test('gives the default namespace to namespaced kinds only', () => {
    const text = [manifest('Host', 'local'), agent('a'), agent('b', {}, { namespace: 'prod' })].join('---\n')
    expect(keys(parsed('x.yaml', text))).toEqual(['Host/local', 'Agent/default/a', 'Agent/prod/b'])
  })

  test('JSON is YAML, tabs and a byte order mark too', () => {
    const text = `\ufeff${JSON.stringify({ apiVersion: 'stateward.dev/v1alpha1', kind: 'Host', metadata: { name: 'local' }, spec: {} }, null, '\t')}`
    expect(keys(parsed('host.json', text))).toEqual(['Host/local'])
  })

  test('ignores and counts what belongs to others', () => {
    const text = 'apiVersion: apps/v1\nkind: Deployment\n---\nkey: value\n---\n- a list\n---\njust text\n---\n'
    expect(parsed('x.yaml', text)).toMatchObject({ resources: [], issues: [], ignored: 4, unidentified: false })
  })

  test('ignores a template of another tool without a word, and warns of broken foreign YAML', () => {
    expect(parsed('chart/t.yaml', 'apiVersion: apps/v1\n{{- if .Values.on }}\nkind: X\n{{- end }}\n')).toMatchObject({
      issues: [],
      ignored: 1,
      unidentified: false,
    })
    const broken = parsed('x.yaml', 'a: [1\n')
    expect(told(broken)).toEqual(['x.yaml:2:1 warning SW_FOREIGN_UNREADABLE'])
    expect(broken.unidentified).toBe(false)
  })

  test('a group that only begins like ours is foreign', () => {
    expect(parsed('x.yaml', 'apiVersion: stateward.development/v1\nkind: Agent\n')).toMatchObject({
      issues: [],
      ignored: 1,
    })
  })

  test('a broken document is named when it says who it is', () => {
    const file = parsed('x.yaml', manifest('Agent', 'a', { replicas: 'many' }))
    expect(file).toMatchObject({ resources: [], identified: ['Agent/default/a'], unidentified: false })
    expect(file.issues[0]).toMatchObject({ object: 'Agent/default/a', pointer: '/spec/replicas', line: 5 })
  })

  test.each([
    ['no name', 'apiVersion: stateward.dev/v1alpha1\nkind: Agent\nmetadata: {}\n'],
    ['a name that would be the key of another object', manifest('Agent', 'default/other')],
    ['a namespace that would', manifest('Agent', 'a', {}, { namespace: 'x/y' })],
    ['an unknown kind', manifest('Agnet', 'a')],
    ['YAML that cannot be read', `${agent('a')}  bad: [\n`],
  ])('a document with %s is not identified', (_what, text) => {
    const file = parsed('x.yaml', text)
    expect(file).toMatchObject({ resources: [], identified: [], unidentified: true })
    expect(file.issues.some((issue) => issue.severity === 'error')).toBe(true)
  })

  test('an unidentified file tells the words it holds, as names are written', () => {
    const file = parsed('x.yaml', 'id: bp.Check_MK.fix\ntrigger: [\nplan: []\n')
    expect(file.unidentified).toBe(true)
    expect(file.words?.has('bp.check-mk.fix')).toBe(true)
    expect(file.words?.has('fix')).toBe(false)
    expect(parsed('y.yaml', agent('a')).words).toBeUndefined()
  })

  test('one broken document hides no other of its file', () => {
    const file = parsed('x.yaml', [agent('a'), `${agent('b')}  broken: [\n`, agent('c')].join('---\n'))
    expect(keys(file)).toEqual(['Agent/default/a', 'Agent/default/c'])
    expect(file.resources.map(({ origin }) => origin.document)).toEqual([0, 2])
    expect(told(file)).toEqual(['x.yaml:12:12 error SW_YAML_SYNTAX'])
  })

  test('collects every problem of a document', () => {
    const text =
      'apiVersion: stateward.dev/v1alpha1\nkind: Agent\nmetadata: {name: A}\nspce: {}\nspec:\n  replics: 2\n  restartPolicy: Sometimes\n'
    expect(told(parsed('x.yaml', text)).sort()).toEqual([
      'x.yaml:3:18 error SW_BAD_VALUE',
      'x.yaml:4:1 error SW_UNKNOWN_FIELD',
      'x.yaml:6:3 error SW_UNKNOWN_FIELD',
      'x.yaml:7:18 error SW_BAD_VALUE',
    ])
  })

  test('fields of the controller are ignored with one warning, and change no digest', () => {
    const plain = parsed('x.yaml', agent('a'))
    const pasted = parsed(
      'x.yaml',
      `${agent('a').replace('"name":"a"', '"name":"a","uid":"u","resourceVersion":"7"')}status: {phase: Running}\n`,
    )
    expect(told(pasted)).toEqual(['x.yaml:3:24 warning SW_SERVER_FIELD'])
    expect(pasted.issues[0]!.message).toContain('metadata.uid, metadata.resourceVersion, status')
    expect(pasted.resources[0]!.specDigest).toBe(plain.resources[0]!.specDigest)
  })

  test('a List holds documents, a broken item stops no other one', () => {
    const item = (name: string, spec: string) =>
      `- {apiVersion: stateward.dev/v1alpha1, kind: Host, metadata: {name: ${name}}, spec: ${spec}}\n`
    const file = parsed(
      'x.yaml',
      `apiVersion: v1\nkind: List\nitems:\n${item('a', '{}')}${item('b', '{rolle: control}')}${item('c', '{}')}- text\n`,
    )
    expect(keys(file)).toEqual(['Host/a', 'Host/c'])
    expect(file.resources[1]!.origin).toEqual({ file: 'x.yaml', document: 0, base: '/items/2' })
    expect(file).toMatchObject({ identified: ['Host/b'], ignored: 1 })
    expect(file.issues).toMatchObject([{ pointer: '/items/1/spec/rolle', line: 5 }])
  })

  test('too many documents refuse the file as a whole', () => {
    const file = parsed('x.yaml', Array.from({ length: 2_001 }, () => 'a: 1\n').join('---\n'))
    expect(told(file)).toEqual(['x.yaml error SW_TOO_MANY_DOCUMENTS'])
    expect(file.unidentified).toBe(true)
  })

  test('a v0 blueprint is read as one of today, and its problems stand where the file has them', () => {
    const good = 'id: bp.x_y\ntrigger: {event_type: a.b}\nplan:\n- {kind: gate, id: ask, mode: manual}\n'
    expect(keys(parsed('x.yaml', good))).toEqual(['Blueprint/default/bp.x-y'])
    expect(told(parsed('x.yaml', good.replace(', mode: manual', '')))).toEqual(['x.yaml:4:3 error SW_V0_GATE_MODE'])
  })

  test.each([
    ['symbolic link', '120000', 'SW_SYMLINK', 'warning', false],
    ['submodule', '160000', 'SW_SUBMODULE', 'warning', false],
    ['file over the limit', '100644', 'SW_FILE_TOO_LARGE', 'error', true],
  ])('a %s is told and not read', (_what, mode, code, severity, unidentified) => {
    const file = parseFile({ path: 'x.yaml', oid: 'o', mode, size: 9_999_999, bytes: null }, PARSE_OPTIONS)
    expect(file.issues).toMatchObject([{ code, severity, file: 'x.yaml' }])
    expect(file).toMatchObject({ resources: [], unidentified })
  })

  test('bytes that are no UTF-8 text are told by what they are', () => {
    const ours = agent('a')
    expect(told(parsed('x.yaml', Buffer.from(`\ufeff${ours}`, 'utf16le')))).toEqual(['x.yaml error SW_FILE_ENCODING'])
    expect(told(parsed('x.yaml', Buffer.from(`\ufeff${ours}`, 'utf16le').swap16()))).toEqual([
      'x.yaml error SW_FILE_ENCODING',
    ])
    expect(told(parsed('x.yaml', Buffer.from(`${ours}# caf\u00e9\n`, 'latin1')))).toEqual([
      'x.yaml error SW_FILE_ENCODING',
    ])
    expect(told(parsed('x.yaml', Buffer.from('caf\u00e9: 1\n', 'latin1')))).toEqual([
      'x.yaml warning SW_FOREIGN_UNREADABLE',
    ])
    expect(told(parsed('x.yaml', Buffer.from([1, 0, 2])))).toEqual(['x.yaml error SW_FILE_BINARY'])
  })

  test('an alias inside its own anchor, or a laughing one, is an issue and no endless walk', () => {
    const circle = agent('a').replace('spec:\n', 'spec: &self\n  dependsOn: [*self]\n')
    expect(told(parsed('x.yaml', circle))).toEqual(['x.yaml:1:1 error SW_DOCUMENT_TOO_LARGE'])
    expect(parsed('foreign.yaml', 'a: &a {b: *a}\n')).toMatchObject({ issues: [], ignored: 1 })
  })

  test('a text the database cannot hold is an issue', () => {
    expect(told(parsed('x.yaml', agent('a', { description: 'x' }).replace('"x"', '"a\\0b"')))).toEqual([
      'x.yaml:6:17 error SW_UNSAFE_TEXT',
    ])
    expect(told(parsed('x.yaml', agent('a', { description: 'x' }).replace('"x"', '"\\uD800"')))).toEqual([
      'x.yaml:6:17 error SW_UNSAFE_TEXT',
    ])
  })

  test('throws for nothing anybody wrote, and every error keeps its objects from being taken for deleted', () => {
    const good = [
      agent('a', { description: 'x', capabilities: ['a', 'b'] }),
      manifest('Host', 'h', { role: 'control' }),
      'id: bp\ntrigger: {event_type: a.b}\nplan: [{kind: gate, id: g, mode: manual}]\n',
    ].join('---\n')
    const edit = fc.record({
      at: fc.nat(good.length),
      cut: fc.nat(12),
      put: fc.oneof(
        fc.string({ maxLength: 6 }),
        fc.constantFrom('---\n', '&a ', '*a', '!!x ', '\t', '\0', '\ud800', ': ', '{', '"', '\n'),
      ),
    })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = good
        for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut)
        const file = parsed('x.yaml', text)
        const errors = file.issues.filter((issue) => issue.severity === 'error')
        if (errors.length > 0) expect(file.unidentified || file.identified.length > 0).toBe(true)
        for (const issue of file.issues)
          expect(issue).toMatchObject({
            code: expect.stringMatching(/^SW_/),
            hint: expect.stringMatching(/./),
            file: 'x.yaml',
          })
      }),
      { numRuns: 1_000 },
    )
  })
})
