import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exhaustedAt, forecastOf } from './forecast.ts'
import { PERIODS, windowAt } from './window.ts'

const span = (period: (typeof PERIODS)[number], at: string) => {
  const { start, end } = windowAt(period, new Date(at))
  return [start.toISOString(), end?.toISOString() ?? null]
}

test('windows are those of the calendar, in UTC', () => {
  expect(span('hour', '2026-12-31T23:59:59.999Z')).toEqual(['2026-12-31T23:00:00.000Z', '2027-01-01T00:00:00.000Z'])
  expect(span('day', '2026-02-28T10:00:00.000Z')).toEqual(['2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'])
  expect(span('week', '2026-11-22T10:00:00.000Z')).toEqual(['2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'])
  expect(span('month', '2028-02-29T00:00:00.000Z')).toEqual(['2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'])
  expect(span('total', '2026-11-22T10:00:00.000Z')).toEqual(['1970-01-01T00:00:00.000Z', null])
})

test('every moment is in its window, and the end of one is the start of the next', () => {
  const moment = fc.date({
    min: new Date('2000-01-01T00:00:00Z'),
    max: new Date('2100-01-01T00:00:00Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(moment, fc.constantFrom(...PERIODS), (at, period) => {
      const { start, end } = windowAt(period, at)
      expect(start.getTime()).toBeLessThanOrEqual(at.getTime())
      if (end === null) return
      expect(end.getTime()).toBeGreaterThan(at.getTime())
      expect(windowAt(period, end).start).toEqual(end)
      expect(windowAt(period, start)).toEqual({ start, end })
    }),
  )
})

test('the forecast is what is used and the pace of the last days', () => {
  const now = new Date('2026-11-21T00:00:00.000Z')
  const end = new Date('2026-12-01T00:00:00.000Z')
  expect(forecastOf({ used: 100n, end }, 70n, now)).toBe(200n)
  expect(forecastOf({ used: 100n, end: null }, 70n, now)).toBe(100n)
  expect(exhaustedAt({ used: 100n, max: 150n, end }, 70n, now)).toEqual(new Date('2026-11-26T00:00:00.000Z'))
  expect(exhaustedAt({ used: 100n, max: 300n, end }, 70n, now)).toBeNull()
  expect(exhaustedAt({ used: 300n, max: 300n, end }, 0n, now)).toBe(now)
  expect(exhaustedAt({ used: 0n, max: 300n, end }, 0n, now)).toBeNull()
})
