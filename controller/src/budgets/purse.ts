import { appendEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { type Reservation, type ReserveRequest, reserve } from './reserve.ts'
import { type Outcome, settle } from './settle.ts'

/** Money for whoever spends it in this process: each question is a transaction of its own. */
export interface Purse {
  reserve(request: ReserveRequest): Promise<Reservation>
  /** Never rejects: what could not be settled is settled later, by whoever keeps the budgets. */
  settle(id: string, outcome: Outcome): Promise<void>
}

export function openPurse(store: Store): Purse {
  return {
    async reserve(request) {
      return transact(store, async (tx) => {
        const { reservation, events } = await reserve(tx, request, store.clock.now())
        if (events.length > 0) await appendEvents(tx, store, [...events])
        return reservation
      })
    },
    async settle(id, outcome) {
      try {
        await settleNow(store, id, outcome)
      } catch (error) {
        store.log.warn({ err: error, reservation: id }, 'what was spent could not be settled; it is settled later')
      }
    },
  }
}

/** A settlement with its events, as one transaction. */
export async function settleNow(store: Store, id: string, outcome: Outcome): Promise<void> {
  await transact(store, async (tx) => {
    const events = await settle(tx, id, outcome, store.clock.now())
    if (events.length > 0) await appendEvents(tx, store, [...events])
  })
}
