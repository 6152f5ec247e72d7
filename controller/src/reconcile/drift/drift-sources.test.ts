import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../lib/json.ts'
import type { DriftRow } from '../../store/queries/drifts.ts'
import type { ReconcileContext } from '../runtime/reconciler.ts'
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
  it('differ, and are left to people', () => {
    const drift = [{ asked: 'gpt-4o', answered: 'gpt-4o-2026-01-01' }]
    expect(modelAliasDrift.find(context('ModelProvider', { drift }))).toMatchObject([
      { field: 'model/gpt-4o', live: 'gpt-4o-2026-01-01', declared: 'gpt-4o' },
    ])
    expect(modelAliasDrift.find(context('ModelProvider', {}))).toEqual([])
    expect(() => modelAliasDrift.adoption(object, { live: 'b', declared: 'a' } as DriftRow)).toThrow(
      'which model is asked',
    )
  })
})
