import { describe, expect, it } from 'vitest'
import { BREAKER_EVENTS, BREAKER_STATES, breakerStatesBefore, breakerTable, nextBreaker } from './breaker.ts'

describe('the table of a breaker', () => {
  it('answers every event in every state', () => {
    expect(Object.keys(breakerTable)).toEqual([...BREAKER_STATES])
    for (const state of BREAKER_STATES) expect(Object.keys(breakerTable[state])).toEqual([...BREAKER_EVENTS])
  })

  it('lets one call through after it was open, and no second one', () => {
    expect(nextBreaker('closed', 'probe').outcome).toBe('rejected')
    expect(nextBreaker('open', 'probe')).toEqual({ outcome: 'moved', state: 'half_open' })
    expect(nextBreaker('half_open', 'probe').outcome).toBe('rejected')
    expect(breakerStatesBefore('half_open')).toEqual(['open'])
  })

  it('opens from every state, and closes from every state it can be in after that', () => {
    expect(breakerStatesBefore('open')).toEqual(['closed', 'open', 'half_open'])
    expect(breakerStatesBefore('closed')).toEqual(['open', 'half_open'])
  })
})
