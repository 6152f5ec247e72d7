import { type Next, next, statesBefore, type Table } from './table.ts'

/**
 * A gate that waits for a decision. The first valid decision wins; a later one is told that it came too late. `expire` is its
 * timeout (what that decides, `onTimeout` says), `cancel` the end of its run.
 */
export const GATE_STATES = ['waiting', 'approved', 'rejected', 'expired', 'cancelled'] as const
export type GateState = (typeof GATE_STATES)[number]

export const GATE_EVENTS = ['approve', 'reject', 'expire', 'cancel'] as const
export type GateEvent = (typeof GATE_EVENTS)[number]

export const gateTable: Table<GateState, GateEvent> = {
  waiting: { approve: 'approved', reject: 'rejected', expire: 'expired', cancel: 'cancelled' },
  approved: { approve: 'reject', reject: 'reject', expire: 'ignore', cancel: 'ignore' },
  rejected: { approve: 'reject', reject: 'reject', expire: 'ignore', cancel: 'ignore' },
  expired: { approve: 'reject', reject: 'reject', expire: 'ignore', cancel: 'ignore' },
  cancelled: { approve: 'reject', reject: 'reject', expire: 'ignore', cancel: 'ignore' },
}

export function nextGate(state: GateState, event: GateEvent): Next<GateState> {
  return next(gateTable, state, event)
}

/** For SQL guards: the states a gate may have before it gets into `to`. */
export function gateStatesBefore(to: GateState): GateState[] {
  return statesBefore(gateTable, to)
}
