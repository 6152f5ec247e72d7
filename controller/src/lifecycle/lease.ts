import { type Next, next, type Table } from './table.ts'

/**
 * A process's right to write, as the process itself sees it. `fallBehind`: two thirds of the lease have passed without a
 * renewal, so that an effect begun now might outlive the right to record it. `take`: the row is gone, another process has
 * taken it. `giveUp`: the process ends.
 */
export const LEASE_STATES = ['held', 'late', 'lost', 'released'] as const
export type LeaseState = (typeof LEASE_STATES)[number]

export const LEASE_EVENTS = ['renew', 'fallBehind', 'take', 'giveUp'] as const
export type LeaseEvent = (typeof LEASE_EVENTS)[number]

export const leaseTable: Table<LeaseState, LeaseEvent> = {
  held: { renew: 'ignore', fallBehind: 'late', take: 'lost', giveUp: 'released' },
  late: { renew: 'held', fallBehind: 'ignore', take: 'lost', giveUp: 'released' },
  // Whoever lost the lease is never told twice, and gives up nothing that is another's by now.
  lost: { renew: 'reject', fallBehind: 'ignore', take: 'ignore', giveUp: 'ignore' },
  released: { renew: 'reject', fallBehind: 'ignore', take: 'ignore', giveUp: 'ignore' },
}

export function nextLease(state: LeaseState, event: LeaseEvent): Next<LeaseState> {
  return next(leaseTable, state, event)
}
