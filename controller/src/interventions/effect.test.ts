import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import type { OverrideRow } from '../store/queries/overrides.ts'
import { editsOf, effectOf } from './effect.ts'

const target = (spec: JsonObject = {}, constraints: JsonObject = {}) => ({
  uid: 'u',
  namespace: 'default',
  name: 'a',
  spec,
  constraints,
})
const override = (path: string, value: OverrideRow['value'], base: OverrideRow['base'] = null): OverrideRow => ({
  id: path,
  kind: 'Agent',
  namespace: 'default',
  name: 'a',
  path,
  value,
  base,
  actor: 'user:ada',
  reason: null,
  created_at: new Date(0),
  expires_at: null,
  intervention_id: 'i',
})

describe('the effect of an intervention', () => {
  it('sets one field, over what Git declares', () => {
    expect(effectOf('pause', {}, target(), [], null).sets).toEqual([{ path: '/spec/suspend', value: true, base: null }])
    expect(effectOf('terminate', {}, target({ replicas: 3 }), [], null)).toEqual({
      sets: [{ path: '/spec/replicas', value: 0, base: 3 }],
      lifts: [],
      params: { replicas: 3 },
    })
  })

  it('adds constraints to those in force', () => {
    const { sets } = effectOf(
      'constrain',
      { constraints: { maxTasks: 1 } },
      target({ constraints: { tools: ['a'] } }, { tools: ['a'], maxTasks: 5 }),
      [],
      null,
    )
    expect(sets).toEqual([{ path: '/spec/constraints', value: { tools: ['a'], maxTasks: 1 }, base: { tools: ['a'] } }])
  })

  it('of a resume takes back all of it', () => {
    const rows = [override('/spec/suspend', true), override('/spec/replicas', 0), override('/spec/constraints', {})]
    expect(effectOf('resume', {}, target(), rows, null)).toEqual({ sets: [], lifts: rows, params: {} })
  })

  it('of a resume counts over what was merged meanwhile', () => {
    expect(effectOf('resume', {}, target({ suspend: true }), [], null).sets).toEqual([
      { path: '/spec/suspend', value: false, base: true },
    ])
    expect(effectOf('resume', {}, target({ replicas: 0 }), [], { replicas: null })).toMatchObject({
      sets: [{ path: '/spec/replicas', value: 1, base: 0 }],
      params: { replicas: null },
    })
  })

  it('of a resume is refused where nothing is to be resumed', () => {
    expect(() => effectOf('resume', {}, target(), [], null)).toThrow('neither paused')
    expect(() => effectOf('resume', {}, target({ replicas: 0 }), [], null)).toThrow('neither paused')
    // What a resume itself has set is nothing to resume.
    expect(() => effectOf('resume', {}, target(), [override('/spec/replicas', 2, 0)], null)).toThrow('neither paused')
  })

  it('comes to Git by edits that leave nothing to edit once they are made', () => {
    const specs = fc.record(
      { suspend: fc.boolean(), replicas: fc.nat(3), constraints: fc.constant({ maxTasks: 2 }) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        specs,
        fc.constantFrom('pause' as const, 'terminate' as const, 'constrain' as const),
        (spec, action) => {
          const asked = { constraints: { tasksPerMinute: 1 } }
          const { params, sets } = effectOf(action, asked, target(spec as JsonObject), [], null)
          const edited: JsonObject = { ...(spec as JsonObject) }
          for (const { field, value } of editsOf(action, params, edited)) if (value !== undefined) edited[field] = value
          for (const { path, value } of sets) expect(edited[path.split('/').at(-1)!]).toEqual(value)
        },
      ),
    )
  })
})
