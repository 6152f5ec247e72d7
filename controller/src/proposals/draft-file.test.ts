import fc from 'fast-check'
import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { draftFile } from './draft-file.ts'

const blueprint = (content: JsonObject) => draftFile({ namespace: 'default', name: 'fix', kind: 'blueprint', content })

it('a blueprint becomes its document, whatever is in it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (content) => {
      fc.pre(!('id' in content))
      const { path, text } = blueprint(content as JsonObject)
      expect(path).toBe('blueprints/fix.yaml')
      expect(load(text)).toEqual({
        apiVersion: 'stateward.dev/v1alpha1',
        kind: 'Blueprint',
        metadata: { name: 'fix' },
        spec: JSON.parse(JSON.stringify(content)),
      })
    }),
  )
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
