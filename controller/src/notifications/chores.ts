import { dropOldNotifications } from '../store/queries/notifications.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'

/** Deliveries that ended are kept so long. */
const KEPT_MS = 30 * 24 * 3_600_000

/** Removes deliveries that ended long ago. */
export function oldNotifications(store: Store) {
  return {
    name: 'notifications',
    run: () => transact(store, (tx) => dropOldNotifications(tx, new Date(store.clock.now().getTime() - KEPT_MS))),
  }
}
