import { type Next, next, statesBefore, type Table } from './table.ts'

/**
 * Whether a target may be used. `trip` opens it, `probe` lets one call through after its cooldown, `close` is that call's
 * success, or a reset. It has no end: a target may break again.
 */
export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const
export type BreakerState = (typeof BREAKER_STATES)[number]

export const BREAKER_EVENTS = ['trip', 'probe', 'close'] as const
export type BreakerEvent = (typeof BREAKER_EVENTS)[number]

export const breakerTable: Table<BreakerState, BreakerEvent> = {
  closed: { trip: 'open', probe: 'reject', close: 'ignore' },
  // Opened again, for another reason and another time.
  open: { trip: 'open', probe: 'half_open', close: 'closed' },
  half_open: { trip: 'open', probe: 'reject', close: 'closed' },
}

export function nextBreaker(state: BreakerState, event: BreakerEvent): Next<BreakerState> {
  return next(breakerTable, state, event)
}

/** For SQL guards: the states a breaker may have before it gets into `to`. */
export function breakerStatesBefore(to: BreakerState): BreakerState[] {
  return statesBefore(breakerTable, to)
}
