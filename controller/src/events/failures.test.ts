import { describe, expect, it } from 'vitest'
import { EVENT_TYPES } from './catalogue.ts'
import { FAILURES } from './failures.ts'

describe('events that tell of failures', () => {
  it('are in the catalogue where they are named', () => {
    for (const name of [...FAILURES.names, FAILURES.statusEvent]) expect(Object.keys(EVENT_TYPES)).toContain(name)
  })

  it('are ours for most of the words, and none of them is a word of success', () => {
    const ours = new Set(Object.keys(EVENT_TYPES).map((name) => name.slice(name.lastIndexOf('.') + 1)))
    expect(FAILURES.words.filter((word) => ours.has(word)).length).toBeGreaterThan(8)
    for (const word of ['completed', 'resolved', 'approved', 'closed', 'started'])
      expect(FAILURES.words).not.toContain(word)
  })
})
