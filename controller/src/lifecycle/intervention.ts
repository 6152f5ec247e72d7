import { type Next, next, statesBefore, type Table } from './table.ts'

/**
 * How far an agent is with an intervention. `expire`: its time was up, or it was taken back, before the agent had done as it
 * says. Whether it counts on the platform's side is another question, and does not wait for the agent.
 */
export const INTERVENTION_STATES = ['pending', 'acknowledged', 'applied', 'rejected', 'expired'] as const
export type InterventionState = (typeof INTERVENTION_STATES)[number]

export const INTERVENTION_EVENTS = ['acknowledge', 'apply', 'refuse', 'expire'] as const
export type InterventionEvent = (typeof INTERVENTION_EVENTS)[number]

export const interventionTable: Table<InterventionState, InterventionEvent> = {
  pending: { acknowledge: 'acknowledged', apply: 'applied', refuse: 'rejected', expire: 'expired' },
  acknowledged: { acknowledge: 'ignore', apply: 'applied', refuse: 'rejected', expire: 'expired' },
  // An answer may come twice after a lost reply; another one than the first is refused.
  applied: { acknowledge: 'ignore', apply: 'ignore', refuse: 'reject', expire: 'ignore' },
  rejected: { acknowledge: 'ignore', apply: 'reject', refuse: 'ignore', expire: 'ignore' },
  expired: { acknowledge: 'reject', apply: 'reject', refuse: 'reject', expire: 'ignore' },
}

export function nextIntervention(state: InterventionState, event: InterventionEvent): Next<InterventionState> {
  return next(interventionTable, state, event)
}

/** For SQL guards: the states an intervention may have before it gets into `to`. */
export function interventionStatesBefore(to: InterventionState): InterventionState[] {
  return statesBefore(interventionTable, to)
}
