import type { Executor } from './database.ts'
import { acquireLease, releaseLease as freeLease, isLeaseFree, isLeaseHeld } from './queries/leases.ts'
import type { Store } from './store.ts'
import { transact } from './transact.ts'

/**
 * Leadership: a row of `leases` names the one writer that may do what the lease stands for (`controller` reconciles,
 * matches triggers, writes status). It is as fenced as any write: when the writer's row goes, the lease goes with it.
 */
export async function tryAcquireLease(store: Store, name: string): Promise<boolean> {
  if (await transact(store, (tx) => acquireLease(tx, name, store.writer.id))) return true
  // The holder may have died without saying so.
  const gone = await store.writer.takeOver()
  if (gone.length === 0 && !(await isLeaseFree(store.engine, name))) return false
  return transact(store, (tx) => acquireLease(tx, name, store.writer.id))
}

/** Whether nobody holds it, as far as a look without any lock tells. */
export async function isLeaseAvailable(store: Store, name: string): Promise<boolean> {
  return isLeaseFree(store.engine, name)
}

/** Whether this process holds it now; inside a transaction of `transact` the answer stays true to its end. */
export async function holdsLease(sql: Executor, store: Pick<Store, 'writer'>, name: string): Promise<boolean> {
  return isLeaseHeld(sql, name, store.writer.id)
}

/** Gives leadership up so that another process can have it at once; nothing happens when it was not held. */
export async function releaseLease(store: Store, name: string): Promise<void> {
  await transact(store, (tx) => freeLease(tx, name, store.writer.id))
}
