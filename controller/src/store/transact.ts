import { setTimeout as delay } from 'node:timers/promises'
import type { Tx } from './database.ts'
import { isRetryable, mapConnectionLoss } from './database-errors.ts'
import { lockWriter } from './queries/writers.ts'
import type { Store } from './store.ts'
import { leaseLost } from './writer.ts'

const ATTEMPTS = 8

/**
 * Runs `work` in one transaction that only commits while this process holds its lease.
 *
 * The first statement locks the own `writers` row: when it is gone, SW_LEASE_LOST is thrown whatever `work` did, nothing
 * was written and the process is told. Serialization failures and deadlocks run `work` again, so it must hold nothing but database work.
 * A lost connection is SW_DATABASE_UNREACHABLE; the transaction may or may not have been committed.
 */
export async function transact<T>(store: Store, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (
        await store.engine.begin(async (tx) => {
          // Sent together with what the work sends first: it is answered before that, and decided on before the commit.
          const [held, done] = await Promise.allSettled([lockWriter(tx, store.writer.id), work(tx)])
          if (held.status === 'rejected') throw held.reason
          if (!held.value) throw lost(store)
          if (done.status === 'rejected') throw done.reason
          // In an object, because the driver would unpack an array that `work` returns.
          return { result: done.value }
        })
      ).result
    } catch (error) {
      if (!isRetryable(error) || attempt === ATTEMPTS) throw mapConnectionLoss(error)
      await delay(attempt * 2)
    }
  }
}

function lost(store: Store): Error {
  store.writer.markLost()
  return leaseLost()
}
