import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_COUNTED, nextTime, passedTimes, scheduleProblem } from './cron.ts'

const berlin = (schedule: string) => ({ schedule, timeZone: 'Europe/Berlin' })

function timesBetween(when: { schedule: string; timeZone: string }, from: string, to: string): string[] {
  const times: string[] = []
  for (let at = nextTime(when, new Date(from)); at !== null && at <= new Date(to); at = nextTime(when, at))
    times.push(at.toISOString().slice(5, 16))
  return times
}

describe('cron schedules', () => {
  it('follow local time across the change of clocks in spring, and make up for a time that is skipped', () => {
    expect(timesBetween(berlin('0 3 * * *'), '2026-03-28T00:00:00Z', '2026-03-30T23:00:00Z')).toEqual([
      '03-28T02:00',
      '03-29T01:00',
      '03-30T01:00',
    ])
    // 02:30 does not exist on the 29th: it runs when 03:00 comes.
    expect(timesBetween(berlin('30 2 * * *'), '2026-03-28T12:00:00Z', '2026-03-30T23:00:00Z')).toEqual([
      '03-29T01:00',
      '03-30T00:30',
    ])
  })

  it('run a local time that comes twice in autumn once', () => {
    expect(timesBetween(berlin('30 2 * * *'), '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z')).toEqual([
      '10-25T00:30',
      '10-26T01:30',
    ])
    expect(timesBetween(berlin('*/30 2 * * *'), '2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z')).toEqual([
      '10-25T00:00',
      '10-25T00:30',
    ])
  })

  it('go on by the time that passes when the hour is a wildcard', () => {
    expect(timesBetween(berlin('0 * * * *'), '2026-10-24T23:30:00Z', '2026-10-25T03:30:00Z')).toEqual([
      '10-25T00:00',
      '10-25T01:00',
      '10-25T02:00',
      '10-25T03:00',
    ])
  })

  it('say what is wrong with them', () => {
    expect(scheduleProblem(berlin('0 3 * * *'))).toBeNull()
    expect(scheduleProblem(berlin('@daily'))).toBeNull()
    expect(scheduleProblem(berlin('61 3 * * *'))).toMatchObject({ field: 'schedule' })
    expect(scheduleProblem(berlin('* * * * * *'))).toMatchObject({ field: 'schedule' })
    expect(scheduleProblem(berlin('0 0 31 2 *'))).toEqual({ field: 'schedule', message: '0 0 31 2 * never comes' })
    expect(scheduleProblem({ schedule: '0 3 * * *', timeZone: 'Mars/Olympus' })).toEqual({
      field: 'timeZone',
      message: 'there is no time zone Mars/Olympus',
    })
  })

  it('count what has passed up to a limit, and always find the latest', () => {
    const every = { schedule: '* * * * *', timeZone: 'UTC' }
    const day = passedTimes(every, new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:30Z'))
    expect(day).toEqual({
      first: new Date('2026-01-01T00:01:00Z'),
      latest: new Date('2026-01-02T00:00:00Z'),
      count: MAX_COUNTED,
    })
    expect(passedTimes(every, new Date('2026-01-01T00:00:00Z'), new Date('2026-01-01T00:00:59Z'))).toBeNull()
  })

  it('have the same latest time as a walk through all of them, in any zone, around changes of clocks', () => {
    const part = fc.constantFrom('*', '0', '30', '*/20')
    const hour = fc.constantFrom('*', '2', '1-3', '*/2', '3')
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/New_York')
    const start = fc.constantFrom('2026-03-28T20:00:00Z', '2026-10-24T20:00:00Z', '2026-04-04T10:00:00Z')
    fc.assert(
      fc.property(part, hour, zone, start, fc.nat(3000), (minute, hours, timeZone, from, minutes) => {
        const when = { schedule: `${minute} ${hours} * * *`, timeZone }
        const after = new Date(from)
        const upTo = new Date(after.getTime() + minutes * 60_000)
        let latest: Date | null = null
        for (let at = nextTime(when, after); at !== null && at <= upTo; at = nextTime(when, at)) latest = at
        expect(passedTimes(when, after, upTo)?.latest ?? null).toEqual(latest)
      }),
      { numRuns: 60 },
    )
  })
})
