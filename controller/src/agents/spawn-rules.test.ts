import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spawnProblems } from './spawn-rules.ts'

const NOW = new Date('2027-01-01T00:00:00Z')
const LATER = new Date('2027-01-01T01:00:00Z')
const TERMS = { lifetime: 'ephemeral', parent: 'boss', budgetNanoUsd: 1, deadline: LATER } as const
const paths = (more: object) => spawnProblems({ ...TERMS, ...more }, NOW).map(({ path }) => path)

describe('the terms of a spawned agent', () => {
  it('are fine when somebody answers for it, with a limit and an end', () => {
    expect(paths({})).toEqual([])
  })

  it('name everything that is missing', () => {
    expect(paths({ parent: null, budgetNanoUsd: null, deadline: null })).toEqual(['parent', 'budget_usd', 'deadline'])
    expect(paths({ budgetNanoUsd: 0, deadline: NOW })).toEqual(['budget_usd', 'deadline'])
  })

  it('of a long-lived one may all be open, but make sense', () => {
    const open = { lifetime: 'longLived', parent: null, budgetNanoUsd: null, deadline: null }
    expect(paths(open)).toEqual([])
    expect(paths({ ...open, deadline: NOW, budgetNanoUsd: 0 })).toEqual(['budget_usd', 'deadline'])
  })

  it('of an ephemeral one are never fine without all three', () => {
    const maybe = <T>(value: T) => fc.constantFrom(value, null)
    fc.assert(
      fc.property(maybe('boss'), maybe(5), maybe(LATER), (parent, budgetNanoUsd, deadline) => {
        const complete = parent !== null && budgetNanoUsd !== null && deadline !== null
        expect(paths({ parent, budgetNanoUsd, deadline }).length === 0).toBe(complete)
      }),
    )
  })
})
