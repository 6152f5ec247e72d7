import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { schemaProblem } from '../lib/json-schema.ts'
import { EVENT_TYPES, eventViolations } from './catalogue.ts'

describe('the catalogue of events', () => {
  it('names every event stateward.<noun>[.<noun>].<past verb> and says what happened in one sentence', () => {
    for (const [name, { description }] of Object.entries(EVENT_TYPES)) {
      expect(name).toMatch(/^stateward(\.[a-z]+){1,2}\.[a-z_]*(ed|ing|built|frozen|held|sent|written|met)$/)
      expect(description).toMatch(/^[A-Z].*\.$/)
    }
  })

  it('has schemas that are schemas', () => {
    for (const { data } of Object.values(EVENT_TYPES)) expect(schemaProblem(data as unknown as JsonObject)).toBeNull()
  })

  it('accepts what fits, says what does not, knows no other name of ours, and leaves the names of others alone', () => {
    const skipped = { run: 'r-1', step: 'a', kind: 'transform', attempt: 1, reason: 'why' }
    expect(eventViolations('stateward.run.step.skipped', skipped)).toEqual([])
    expect(eventViolations('stateward.run.step.skipped', { ...skipped, attempt: '1', more: true })).toEqual([
      { pointer: '/more', message: 'is not allowed here' },
      { pointer: '/attempt', message: 'must be integer' },
    ])
    expect(eventViolations('stateward.run.step.forgotten', skipped)).toBeNull()
    expect(eventViolations('checkmk.alert', { anything: true })).toEqual([])
  })
})
