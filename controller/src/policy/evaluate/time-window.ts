import { Cron } from 'croner'

/** The minutes in which something is allowed: those a cron schedule names, in a time zone. */
export interface CompiledTimeWindow {
  readonly schedule: string
  readonly timeZone: string
  readonly contains: (at: Date) => boolean
}

const MINUTE = 60_000

/** Throws what croner throws for a text that is no schedule: {@link timeWindowProblem} tells before. */
export function compileTimeWindow(window: {
  readonly schedule: string
  readonly timeZone?: string
}): CompiledTimeWindow {
  const { schedule, timeZone = 'UTC' } = window
  const cron = new Cron(schedule, { mode: '5-part', timezone: timeZone, paused: true })
  let known = Number.NaN
  let isIn = false
  return {
    schedule,
    timeZone,
    contains(at) {
      const minute = Math.floor(at.getTime() / MINUTE)
      if (minute !== known) {
        isIn = cron.match(new Date(minute * MINUTE))
        known = minute
      }
      return isIn
    },
  }
}

/** What is wrong with a window, and with which of its fields; null when it can be asked. */
export function timeWindowProblem(window: {
  readonly schedule: string
  readonly timeZone?: string
}): { readonly field: 'schedule' | 'timeZone'; readonly message: string } | null {
  const { timeZone = 'UTC' } = window
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch {
    return { field: 'timeZone', message: `there is no time zone ${timeZone}` }
  }
  try {
    compileTimeWindow(window)
    return null
  } catch (error) {
    const text = error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error)
    return { field: 'schedule', message: `this is not a cron schedule: ${text}` }
  }
}
