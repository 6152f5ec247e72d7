import { type Next, next, statesBefore, type Table } from './table.ts'

/** Something somebody should look at. Raised again while it is not resolved, it stays as it is; after that it is another one. */
export const ALERT_STATES = ['open', 'acknowledged', 'resolved'] as const
export type AlertState = (typeof ALERT_STATES)[number]

export const ALERT_EVENTS = ['acknowledge', 'resolve'] as const
export type AlertEvent = (typeof ALERT_EVENTS)[number]

export const alertTable: Table<AlertState, AlertEvent> = {
  open: { acknowledge: 'acknowledged', resolve: 'resolved' },
  acknowledged: { acknowledge: 'ignore', resolve: 'resolved' },
  resolved: { acknowledge: 'reject', resolve: 'ignore' },
}

export function nextAlert(state: AlertState, event: AlertEvent): Next<AlertState> {
  return next(alertTable, state, event)
}

/** For SQL guards: the states an alert may have before it gets into `to`. */
export function alertStatesBefore(to: AlertState): AlertState[] {
  return statesBefore(alertTable, to)
}
