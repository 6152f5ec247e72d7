import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../lib/json.ts'
import type { DriftRow } from '../../store/queries/drifts.ts'
import type { ReconcileContext } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'
import { modelAliasDrift } from './model-aliases.ts'
import { toolSchemaDrift } from './tool-schemas.ts'

const context = (kind: string, fields: JsonObject, status: JsonObject = {}) =>
  ({ object: { kind, name: 'x', namespace: 'default', file: 'x.yaml', status }, fields }) as unknown as ReconcileContext
const object = context('McpServer', {}).object

describe('tools of a server that are not what was merged', () => {
  const source = toolSchemaDrift(async ({ name }) => ({ branch: `proposals/lock-${name}`, commit: 'c' }))
  const tools = [
    { name: 'same', state: 'locked', digest: 'a' },
    { name: 'other', state: 'changed', digest: 'b' },
    { name: 'gone', state: 'gone', digest: '' },
  ]

  it('differ, also while the server cannot be asked', async () => {
    const found = await source.find(context('McpServer', { tools }))
    expect(found.map(({ field, live }) => [field, live])).toEqual([
      ['tool/other', 'b'],
      ['tool/gone', null],
    ])
    expect(await source.find(context('McpServer', {}, { tools }))).toEqual(found)
    expect(await source.find(context('Agent', { tools }))).toEqual([])
  })

  it('are taken over by the file that locks them all, as long as they are offered', async () => {
    const adoption = await source.adoption(object, { field: 'tool/other', live: 'b' } as DriftRow)
    if (!('propose' in adoption)) throw new Error('it has a way of its own')
    expect(await adoption.propose({ actor: 'user:ada', correlationId: 'c' })).toEqual({
      branch: 'proposals/lock-x',
      commit: 'c',
    })
    expect(() => source.adoption(object, { field: 'tool/gone', live: null } as DriftRow)).toThrow(
      'not offered any more',
    )
  })
})

describe('models for which others answered', () => {
  const asked: unknown[] = []
  const source = modelAliasDrift(async (ref, patch) => {
    asked.push(ref, patch)
    return { branch: 'proposals/update-x', commit: 'c' }
  })
  const row = { field: 'model/a', live: 'b', declared: 'a' } as DriftRow
  const declaring = (models: unknown) =>
    ({ kind: 'ModelProvider', namespace: '', name: 'x', file: 'x.yaml', spec: { models } }) as unknown as WorldObject

  it('differ', () => {
    const drift = [{ asked: 'gpt-4o', answered: 'gpt-4o-2026-01-01' }]
    expect(source.find(context('ModelProvider', { drift }))).toMatchObject([
      { field: 'model/gpt-4o', live: 'gpt-4o-2026-01-01', declared: 'gpt-4o' },
    ])
    expect(source.find(context('ModelProvider', {}))).toEqual([])
  })

  it('may answer, once that is merged', async () => {
    const models = [{ name: 'a', maxTokens: 9, answeredBy: ['z'] }, { name: 'c' }]
    const adoption = await source.adoption(declaring(models), row)
    if (!('propose' in adoption)) throw new Error('it has a way of its own')
    expect(await adoption.propose({ actor: 'user:ada', correlationId: 'c' })).toMatchObject({ commit: 'c' })
    expect(asked).toEqual([
      { kind: 'ModelProvider', namespace: '', name: 'x' },
      { spec: { models: [{ name: 'a', maxTokens: 9, answeredBy: ['z', 'b'] }, { name: 'c' }] } },
    ])
    expect(() => source.adoption(declaring([{ name: 'c' }]), row)).toThrow('does not declare the model a')
  })
})
