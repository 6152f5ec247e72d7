import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { draftFile } from './draft-file.ts'

const blueprint = (content: JsonObject) => draftFile({ namespace: 'default', name: 'fix', kind: 'blueprint', content })

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
  const pack = draftFile({ namespace: 'prod', name: 'ops', kind: 'pack', content: { documents } })
  expect([pack.path, pack.text]).toEqual(['packs/prod.ops.yaml', 'kind: Agent\n---\nkind: Tool\n'])
  for (const content of [{}, { documents: [] }, { documents: ['x'] }] as JsonObject[])
    expect(() => draftFile({ namespace: 'default', name: 'p', kind: 'pack', content })).toThrow('documents')
})
