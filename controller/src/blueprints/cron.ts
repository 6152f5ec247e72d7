import { Cron } from 'croner'
import type { CompiledSchedule } from './compiled-plan.ts'

/**
 * When a schedule is due. Five fields, in a time zone. A local time that the clocks skip in spring runs at the first moment
 * after it; a local time that comes twice in autumn runs the first time only, unless the hour field begins with `*`: then
 * the schedule follows the time that passes, and every hour counts. Pure.
 */

/** More missed times than this are not counted, as Kubernetes' CronJob does. */
export const MAX_COUNTED = 100
const MINUTE = 60_000

type When = Pick<CompiledSchedule, 'schedule' | 'timeZone'>

interface Reader {
  readonly cron: Cron
  /** Local date and time of an instant. */
  readonly wall: Intl.DateTimeFormat
  readonly isFixedHour: boolean
}

const readers = new WeakMap<When, Reader>()

/** What is wrong with a schedule, and with which of its fields; null when it can be run. */
export function scheduleProblem(when: When): { readonly field: keyof When; readonly message: string } | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone: when.timeZone })
  } catch {
    return { field: 'timeZone', message: `there is no time zone ${when.timeZone}` }
  }
  try {
    if (nextTime(when, new Date('2000-01-01T00:00:00Z')) !== null) return null
    return { field: 'schedule', message: `${when.schedule} never comes` }
  } catch (error) {
    const text = error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error)
    return { field: 'schedule', message: `this is not a cron schedule: ${text}` }
  }
}

/** The first time after an instant; null when there is none. */
export function nextTime(when: When, after: Date): Date | null {
  const reader = readerOf(when)
  let time = reader.cron.nextRun(after)
  while (time !== null && isRepeated(reader, time)) time = reader.cron.nextRun(time)
  return time
}

export interface PassedTimes {
  readonly first: Date
  readonly latest: Date
  /** At most {@link MAX_COUNTED}. */
  readonly count: number
}

/** The times after an instant, up to and with another one; null when there is none. */
export function passedTimes(when: When, after: Date, upTo: Date): PassedTimes | null {
  const first = nextTime(when, after)
  if (first === null || first > upTo) return null
  let latest = first
  for (let count = 1; ; count++) {
    const next = nextTime(when, latest)
    if (next === null || next > upTo) return { first, latest, count }
    if (count === MAX_COUNTED) return { first, latest: lastUpTo(when, next, upTo), count }
    latest = next
  }
}

/** The last time up to an instant, of which one is known. */
function lastUpTo(when: When, known: Date, upTo: Date): Date {
  const [before] = readerOf(when).cron.previousRuns(1, new Date(upTo.getTime() + 1))
  // A repeated time is at most an hour behind the one that counts.
  const from = Math.max(known.getTime(), (before ?? known).getTime() - 61 * MINUTE)
  let latest = known
  for (let next = nextTime(when, new Date(from)); next !== null && next <= upTo; next = nextTime(when, next))
    latest = next
  return latest
}

/** Whether this local time was there before: the clocks were set back by an hour (or, on Lord Howe Island, by half of one). */
function isRepeated({ isFixedHour, wall }: Reader, time: Date): boolean {
  if (!isFixedHour) return false
  const local = wall.format(time)
  return [30, 60].some((minutes) => wall.format(new Date(time.getTime() - minutes * MINUTE)) === local)
}

function readerOf(when: When): Reader {
  const known = readers.get(when)
  if (known !== undefined) return known
  const { schedule, timeZone } = when
  const reader = {
    cron: new Cron(schedule, { mode: '5-part', timezone: timeZone, paused: true }),
    wall: new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short', timeStyle: 'medium' }),
    isFixedHour: schedule.startsWith('@') ? schedule !== '@hourly' : !/^\S+\s+[*?]/.test(schedule.trim()),
  }
  readers.set(when, reader)
  return reader
}
