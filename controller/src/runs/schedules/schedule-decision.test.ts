import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CompiledSchedule } from '../../blueprints/compiled-plan.ts'
import { nextTime } from '../../blueprints/cron.ts'
import { decideSchedule, type ScheduleState } from './schedule-decision.ts'

const nightly: CompiledSchedule = {
  schedule: '0 3 * * *',
  timeZone: 'UTC',
  concurrencyPolicy: 'Allow',
  startingDeadlineMs: 300_000,
  inputs: {},
}
const at = (text: string) => new Date(`2026-05-${text}:00Z`)
const since = (text: string, suspended = false): ScheduleState => ({ lastTime: at(text), lastFired: null, suspended })

describe('a schedule', () => {
  it('waits for its next time, and fires when it has come', () => {
    expect(decideSchedule(nightly, since('01T03:00'), false, at('02T02:59'))).toEqual({
      kind: 'wait',
      next: at('02T03:00'),
    })
    expect(decideSchedule(nightly, since('01T03:00'), false, at('02T03:00'))).toEqual({
      kind: 'fire',
      at: at('02T03:00'),
      missed: null,
    })
  })

  it('fires the latest of several missed times within the deadline only, and counts the others', () => {
    expect(decideSchedule(nightly, since('01T03:00'), false, at('04T03:05'))).toEqual({
      kind: 'fire',
      at: at('04T03:00'),
      missed: { reason: 'superseded', first: at('02T03:00'), latest: at('04T03:00'), count: 2 },
    })
    expect(decideSchedule(nightly, since('01T03:00'), false, at('04T03:06'))).toMatchObject({
      kind: 'skip',
      to: at('04T03:00'),
      missed: { reason: 'late', count: 3 },
    })
    const patient = { ...nightly, startingDeadlineMs: null }
    expect(decideSchedule(patient, since('01T03:00'), false, at('09T23:00'))).toMatchObject({
      kind: 'fire',
      at: at('09T03:00'),
    })
  })

  it('does nothing while it is suspended, and goes on from the moment it is not', () => {
    expect(decideSchedule(nightly, since('01T03:00'), true, at('04T03:00'))).toEqual({
      kind: 'suspend',
      suspended: true,
    })
    expect(decideSchedule(nightly, since('01T03:00', true), true, at('04T03:00'))).toEqual({ kind: 'wait', next: null })
    expect(decideSchedule(nightly, since('01T03:00', true), false, at('04T03:00'))).toEqual({
      kind: 'suspend',
      suspended: false,
    })
  })

  it('fires no time twice, wherever the clock jumps', () => {
    const schedule = { ...nightly, schedule: '*/10 1-3 * * *', timeZone: 'Europe/Berlin', startingDeadlineMs: 600_000 }
    const begin = new Date('2026-10-24T20:00:00Z').getTime()
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -90, max: 120 }), { maxLength: 60 }), (jumps) => {
        let state: ScheduleState = { lastTime: new Date(begin), lastFired: null, suspended: false }
        let now = begin
        const fired: number[] = []
        for (const jump of jumps) {
          now += jump * 60_000
          const decision = decideSchedule(schedule, state, false, new Date(now))
          if (decision.kind === 'fire') {
            fired.push(decision.at.getTime())
            expect(now - decision.at.getTime()).toBeLessThanOrEqual(600_000)
            state = { ...state, lastTime: decision.at }
          }
          if (decision.kind === 'skip') state = { ...state, lastTime: decision.to }
        }
        expect(new Set(fired).size).toBe(fired.length)
        expect(fired).toEqual(fired.toSorted((a, b) => a - b))
      }),
      { numRuns: 100 },
    )
  })

  it('decides about every time once, however long it was away: it fires it, or counts it among those that were missed', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe')
    const deadline = fc.constantFrom(null, 0, 300_000, 3_600_000)
    const begin = new Date('2026-10-24T20:00:00Z').getTime()
    fc.assert(
      fc.property(
        zone,
        deadline,
        fc.array(fc.nat(200), { maxLength: 30 }),
        (timeZone, startingDeadlineMs, absences) => {
          const schedule = { ...nightly, schedule: '*/20 * * * *', timeZone, startingDeadlineMs }
          let state: ScheduleState = { lastTime: new Date(begin), lastFired: null, suspended: false }
          let now = begin
          let decided = 0
          for (const minutes of absences) {
            now += minutes * 60_000
            const decision = decideSchedule(schedule, state, false, new Date(now))
            if (decision.kind === 'fire') {
              decided += 1 + (decision.missed?.count ?? 0)
              state = { ...state, lastTime: decision.at }
            }
            if (decision.kind === 'skip') {
              decided += decision.missed.count
              state = { ...state, lastTime: decision.to }
            }
            // Nothing is left to do at this moment.
            expect(decideSchedule(schedule, state, false, new Date(now))).toMatchObject({ kind: 'wait' })
          }
          expect(decided).toBe(timesUpTo(schedule, new Date(begin), now))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('starts nothing for a time that passed while it was suspended', () => {
    const schedule = { ...nightly, schedule: '*/20 * * * *', startingDeadlineMs: null }
    const begin = new Date('2026-05-01T00:00:00Z').getTime()
    const steps = fc.array(fc.tuple(fc.nat(90), fc.boolean()), { maxLength: 40 })
    fc.assert(
      fc.property(steps, (list) => {
        let state: ScheduleState = { lastTime: new Date(begin), lastFired: null, suspended: false }
        let now = begin
        let suspendedUntil = begin
        for (const [minutes, suspended] of list) {
          now += minutes * 60_000
          if (state.suspended || suspended) suspendedUntil = now
          let decision = decideSchedule(schedule, state, suspended, new Date(now))
          if (decision.kind === 'suspend') {
            state = { ...state, suspended: decision.suspended, lastTime: new Date(now) }
            decision = decideSchedule(schedule, state, suspended, new Date(now))
          }
          if (decision.kind !== 'fire') continue
          expect(decision.at.getTime()).toBeGreaterThan(suspendedUntil)
          state = { ...state, lastTime: decision.at }
        }
      }),
      { numRuns: 100 },
    )
  })
})

function timesUpTo(schedule: CompiledSchedule, after: Date, upTo: number): number {
  let count = 0
  for (let at = nextTime(schedule, after); at !== null && at.getTime() <= upTo; at = nextTime(schedule, at)) count++
  return count
}
