/** How long spending counts before it begins from 0 again; `total` never does. Windows are those of the calendar, in UTC. */
export const PERIODS = ['hour', 'day', 'week', 'month', 'total'] as const
export type Period = (typeof PERIODS)[number]

export interface Window {
  readonly start: Date
  /** The first moment of the next one; null = it has no end. */
  readonly end: Date | null
}

const DAY_MS = 86_400_000

/** The window that a moment is in. Weeks begin on Monday. Of `total` the start is the beginning of time. */
export function windowAt(period: Period, at: Date): Window {
  const [year, month, day, hour] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours()]
  switch (period) {
    case 'hour':
      return between(Date.UTC(year, month, day, hour), Date.UTC(year, month, day, hour + 1))
    case 'day':
      return between(Date.UTC(year, month, day), Date.UTC(year, month, day + 1))
    case 'week': {
      const monday = Date.UTC(year, month, day - ((at.getUTCDay() + 6) % 7))
      return between(monday, monday + 7 * DAY_MS)
    }
    case 'month':
      return between(Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1))
    case 'total':
      return { start: new Date(0), end: null }
  }
}

const between = (start: number, end: number): Window => ({ start: new Date(start), end: new Date(end) })
