import { describe, expect, it } from 'vitest'
import type { AgentInstance, ListedObject } from '../../api/reads.ts'
import { standingOf, tallyOf, treeRows } from './tree.ts'

const object = (kind: string, name: string, more: Partial<ListedObject> = {}): ListedObject => ({
  ...{ uid: `${kind}-${name}`, kind, namespace: 'default', name, source: 'state', file: `${name}.yaml`, document: 0 },
  ...{ revision: 'c1', generation: 1, resource_version: 1, labels: {}, ready: 'True', conditions: [] },
  ...{ created_at: '2030-01-01T00:00:00.000Z', deletion_timestamp: null },
  ...more,
})
const shape = (rows: ReturnType<typeof treeRows>) =>
  rows.map(({ type, depth, label }) => `${'  '.repeat(depth)}${type} ${label}`)
const NONE = new Map<string, readonly AgentInstance[]>()
const ALL = () => true

describe('the tree of what owns what', () => {
  it('goes from a source over its files to what they declare, and to the instances of agents', () => {
    const objects = [
      object('Source', 'state', { namespace: '', file: '(config)' }),
      object('Agent', 'sre', { file: 'agents.yaml', document: 1 }),
      object('Agent', 'ops', { file: 'agents.yaml', document: 0 }),
      object('Blueprint', 'fix', { file: 'a.yaml' }),
      object('Agent', 'child', { source: '(spawned)', file: '' }),
    ]
    const instances = new Map([['default/sre', [{ instance_id: 'i', ordinal: 0 } as AgentInstance]]])
    expect(shape(treeRows(objects, instances, ALL))).toEqual([
      'source (spawned)',
      '  object child',
      'source state',
      '  file a.yaml',
      '    object fix',
      '  file agents.yaml',
      '    object ops',
      '    object sre',
      '      instance sre-0',
    ])
  })

  it('leaves out what is below a closed node, and says how much that is', () => {
    const rows = treeRows([object('Agent', 'a'), object('Agent', 'b')], NONE, (_id, depth) => depth === 0)
    expect(shape(rows)).toEqual(['source state', '  file a.yaml', '  file b.yaml'])
    expect(rows.map(({ children }) => children)).toEqual([2, 1, 1])
  })

  it('shows a source that declares nothing yet', () => {
    expect(shape(treeRows([object('Source', 'empty', { source: '' })], NONE, ALL))).toEqual(['source empty'])
  })

  it('says of a source and of a file how many of theirs are not well', () => {
    const objects = [
      object('Agent', 'a'),
      object('Agent', 'b', { ready: 'False' }),
      object('Agent', 'c', { ready: 'Unknown' }),
    ]
    expect(tallyOf(objects)).toEqual({ total: 3, failing: 1, pending: 1 })
  })
})

describe('how an object stands', () => {
  it('is suspended before it is ready, and failing before that', () => {
    const conditions = [
      { type: 'Suspended', status: 'True' as const, reason: 'Suspended', message: '', last_transition_time: null },
    ]
    expect(standingOf({ ready: 'True', conditions: [] })).toBe('True')
    expect(standingOf({ ready: 'Unknown', conditions })).toBe('Suspended')
    expect(standingOf({ ready: 'False', conditions })).toBe('False')
  })
})
