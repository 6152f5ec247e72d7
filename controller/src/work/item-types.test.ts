import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { schemaProblem } from '../lib/json-schema.ts'
import { firstState, moveProblem, PHASES, parentProblem } from './item-type.ts'
import { ITEM_TYPES, itemType, RELATION_NAMES } from './item-types.ts'
import { LIFECYCLE_PHASES, lifecycleProblem } from './project-lifecycle.ts'

describe.each(ITEM_TYPES.map((type) => [type.name, type] as const))('the type %s', (_, type) => {
  const states = Object.keys(type.states)

  it('has states that lead only to states it has', () => {
    for (const [state, { to, onAssign, phase }] of Object.entries(type.states)) {
      expect(PHASES).toContain(phase)
      expect(to.filter((next) => !states.includes(next) || next === state)).toEqual([])
      if (onAssign !== undefined) expect(to).toContain(onAssign)
    }
  })

  it('reaches every state from its first one', () => {
    const reached = new Set([firstState(type)])
    for (const state of reached) for (const next of type.states[state]!.to) reached.add(next)
    expect([...reached].sort()).toEqual([...states].sort())
  })

  it('can come to an end in which nothing is left to do', () => {
    expect(Object.values(type.states).some(({ phase }) => phase !== 'open')).toBe(true)
    if (type.isRecord) expect(type.states[firstState(type)]!.phase).toBe('done')
  })

  it('is part only of types there are', () => {
    for (const parent of type.parents) expect(parentProblem(type, itemType(parent))).toBeNull()
  })

  it('follows its agents only to states it can move to, and has a place for what they found', () => {
    const { byAgents } = type
    if (byAgents === undefined) return
    const { running, result, ...ends } = byAgents
    for (const end of Object.values(ends)) expect(type.states[running]!.to).toContain(end)
    expect(Object.keys(type.fields.properties)).toContain(result)
  })

  it('has fields that are a schema and take nothing unknown', () => {
    expect(schemaProblem(type.fields as unknown as JsonObject)).toBeNull()
    expect(type.fields).toMatchObject({ additionalProperties: false })
  })
})

describe('moves', () => {
  const types = fc.constantFrom(...ITEM_TYPES)

  it('are exactly those of the table, whatever walk is taken', () => {
    fc.assert(
      fc.property(types, fc.array(fc.nat(), { maxLength: 20 }), (type, walk) => {
        let state = firstState(type)
        for (const step of walk) {
          const { to } = type.states[state]!
          for (const other of Object.keys(type.states))
            expect(moveProblem(type, state, other) === null).toBe(to.includes(other))
          if (to.length === 0) return
          state = to[step % to.length]!
        }
      }),
    )
  })

  it('say why they cannot be', () => {
    const ticket = itemType('ticket')
    expect(moveProblem(ticket, 'open', 'open')).toBe('it is open already')
    expect(moveProblem(ticket, 'open', 'closed')).toContain('from open it moves to in_progress')
    expect(moveProblem(ticket, 'open', 'done')).toContain('has no state "done"')
    expect(moveProblem(itemType('sprint'), 'completed', 'active')).toBe('completed is where it ends')
    expect(parentProblem(itemType('sprint'), ticket)).toBe('a sprint is part of a topic, not of a ticket')
  })
})

it('knows the relations that the database has room for', () => {
  expect(RELATION_NAMES).toContain('depends_on')
  expect(() => itemType('epic')).toThrow(RangeError)
})

it('lets a project go on, stop and go on, and end', () => {
  const allowed = LIFECYCLE_PHASES.flatMap((from) =>
    LIFECYCLE_PHASES.filter((to) => lifecycleProblem(from, to) === null).map((to) => `${from}>${to}`),
  )
  expect(allowed).toEqual(['discovery>active', 'active>paused', 'active>complete', 'paused>active', 'paused>complete'])
  expect(lifecycleProblem('complete', 'active')).toBe('complete is where it ends')
  expect(lifecycleProblem('discovery', 'complete')).toBe('from discovery it goes to active, not to complete')
})
