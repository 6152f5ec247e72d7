import { setTimeout as delay } from 'node:timers/promises'
import { isLeaseAvailable, tryAcquireLease } from '../store/leases.ts'
import type { Store } from '../store/store.ts'
import type { Wakes } from '../store/wakes.ts'

/** A standby looks this often by itself; a leader that ends or is taken over says so. */
const LOOK_MS = 10_000

/** Waits until the lease is this process's; false when `signal` was aborted before. Throws only SW_LEASE_LOST. */
export async function awaitLease(store: Store, wakes: Wakes, name: string, signal: AbortSignal): Promise<boolean> {
  let look = new AbortController()
  const now = () => look.abort()
  const unsubscribe = wakes.subscribe(({ kind }) => {
    if (kind === 'left' || kind === 'joined') now()
  })
  store.writer.onTakeOver(now)
  signal.addEventListener('abort', now, { once: true })
  try {
    while (!signal.aborted) {
      look = new AbortController()
      try {
        if ((await isLeaseAvailable(store, name)) && (await tryAcquireLease(store, name))) return true
      } catch (error) {
        if (store.writer.isLost) throw error
        store.log.warn({ lease: name, err: error }, 'leadership could not be asked for; trying again')
      }
      // Aborted by whatever makes it worth a look.
      if (!signal.aborted) await delay(LOOK_MS, undefined, { signal: look.signal, ref: false }).catch(() => undefined)
    }
    return false
  } finally {
    unsubscribe()
  }
}
