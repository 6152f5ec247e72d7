import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import type { JsonObject } from '../../lib/json.ts'
import { draftFile } from './draft-file.ts'

const draft = { namespace: 'default', name: 'fix', kind: 'blueprint', trigger: null } as const
const blueprint = (definition: JsonObject | string) => draftFile({ ...draft, definition })

it('a blueprint becomes its document, whatever is in it', () => {
  const content: JsonObject = {
    plan: [{ id: 'why', kind: 'agent_task', prompt: 'Why?\nTell me: "now" #1 {{ inputs.host }}' }],
    words: [
      'yes',
      'no',
      'null',
      '~',
      '0123',
      '1e3',
      ' ',
      '',
      '- a',
      '<<',
      '*a',
      '&a',
      'ü𝄞',
      'a: b',
      '%x',
      '2026-01-01',
    ],
    values: [true, null, 0, -1.5, 1e21, [], {}],
    long: 'x'.repeat(500),
  }
  const { path, text } = blueprint(content)
  expect(path).toBe('blueprints/fix.yaml')
  expect(load(text)).toEqual({
    apiVersion: 'stateward.dev/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'fix' },
    spec: content,
  })
})

it('a flat file stays as it is, and a pack is its documents', () => {
  const flat = { id: 'bp.fix', plan: [{ id: 'a' }] }
  expect(load(blueprint(flat).text)).toEqual(flat)
  const documents = [{ kind: 'Agent' }, { kind: 'Tool' }]
  const pack = draftFile({ ...draft, namespace: 'prod', name: 'ops', kind: 'pack', definition: { documents } })
  expect([pack.path, pack.text]).toEqual(['packs/prod.ops.yaml', 'kind: Agent\n---\nkind: Tool\n'])
  expect(pack.item).toBe('prod.ops')
  expect(blueprint(flat).item).toBe('bp.fix')
  for (const definition of [{}, { documents: [] }, { documents: ['x'] }, '', '- x'] as (JsonObject | string)[])
    expect(() => draftFile({ ...draft, kind: 'pack', definition })).toThrow('documents')
})

it('a text keeps its comments, also where it is put into a document', () => {
  const whole = [
    '# who wrote it',
    'apiVersion: stateward.dev/v1alpha1',
    'kind: Blueprint',
    'metadata: {name: fix} # ours',
    'spec: {plan: []}',
    '',
  ].join('\n')
  expect(blueprint(whole).text).toBe(whole)
  const spec =
    'plan:\n  # the first look\n  - id: why # short\n    kind: agent_task\n    prompt: |\n      Why?\n        Really?\n'
  const { text, content } = blueprint(spec)
  expect(text).toContain('# the first look')
  expect(text).toContain('# short')
  expect(load(text)).toMatchObject({ kind: 'Blueprint', metadata: { name: 'fix' }, spec: content })
  expect(content).toEqual(load(spec))
})

it('a trigger is put in where there is none, and has to be the one that is there', () => {
  const plan = [{ id: 'a' }]
  const triggered = (definition: JsonObject | string) =>
    load(draftFile({ ...draft, trigger: 'checkmk.alert', definition }).text)
  expect(triggered({ plan })).toMatchObject({ spec: { triggers: [{ event: 'checkmk.alert' }], plan } })
  expect(triggered('# why\nplan: [{id: a}]\n')).toMatchObject({
    spec: { triggers: [{ event: 'checkmk.alert' }], plan },
  })
  expect(triggered({ id: 'bp', plan })).toEqual({ id: 'bp', plan, trigger: { event_type: 'checkmk.alert' } })
  expect(triggered('id: bp # ours\nplan: [{id: a}]\n')).toEqual({
    id: 'bp',
    plan,
    trigger: { event_type: 'checkmk.alert' },
  })
  expect(triggered({ triggers: [{ event: 'checkmk.alert' }], plan })).toMatchObject({ spec: { plan } })
  for (const definition of [
    { triggers: [{ event: 'other' }], plan },
    { id: 'bp', trigger: { event_type: 'other' }, plan },
  ] as JsonObject[])
    expect(() => triggered(definition)).toThrow('checkmk.alert')
})

it('what cannot be the draft is refused', () => {
  const metadata = { name: 'other' }
  const wrong: (JsonObject | string)[] = [
    'a: [',
    '- a list',
    'a: 1\n---\nb: 2\n',
    { kind: 'Agent', metadata: { name: 'fix' }, spec: {} },
    { kind: 'Blueprint', metadata, spec: {} },
    { kind: 'Blueprint', metadata: { name: 'fix', namespace: 'prod' }, spec: {} },
  ]
  for (const definition of wrong) expect(() => blueprint(definition)).toThrow()
  expect(() => draftFile({ ...draft, namespace: 'prod', definition: { id: 'bp', plan: [] } })).toThrow(
    'namespace default',
  )
})
