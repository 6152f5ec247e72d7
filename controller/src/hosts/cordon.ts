import { fail } from '../lib/error-catalogue.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { deleteJoinedHost, type HostRow, lockHost, setCordon, setDraining } from '../store/queries/hosts.ts'
import { liveInstancesOfHost } from '../store/queries/instances.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { type Caller, hostEvent } from './events.ts'
import type { HostSpecOf } from './ports.ts'

/** From now on the host takes no new instances; what runs there goes on. Doing it again changes nothing. */
export async function cordonHost(store: Store, host: string, caller: Caller): Promise<void> {
  await transact(store, async (tx) => {
    const row = known(await lockHost(tx, host), host)
    if (row.cordoned_at !== null) return
    const at = store.clock.now()
    await setCordon(tx, host, { by: caller.actor, at })
    await appendEvents(tx, store, [hostEvent('cordoned', host, at, { host }, caller)])
  })
}

/** The host takes new instances again; a drain ends. Throws SW_CONFLICT while its document says otherwise. */
export async function uncordonHost(store: Store, specOf: HostSpecOf, host: string, caller: Caller): Promise<void> {
  await transact(store, async (tx) => {
    const row = known(await lockHost(tx, host), host)
    if (specOf(host)?.['unschedulable'] === true)
      throw fail('SW_CONFLICT', `host ${host} is unschedulable in Git`, {
        remedy: 'commit `unschedulable: false` to its document',
      })
    if (row.cordoned_at === null && row.draining_since === null) return
    const at = store.clock.now()
    await setCordon(tx, host, null)
    await appendEvents(tx, store, [hostEvent('uncordoned', host, at, { host }, caller)])
  })
}

/**
 * Cordons the host and has everything that runs there moved to others: each instance gets its grace period, and its replica
 * starts elsewhere as soon as it has ended. Asked again, it says how far that is.
 */
export async function drainHost(store: Store, host: string, caller: Caller): Promise<void> {
  await transact(store, async (tx) => {
    const row = known(await lockHost(tx, host), host)
    if (row.draining_since !== null) return
    const at = store.clock.now()
    const total = (await liveInstancesOfHost(tx, host)).length
    const events: NewEvent[] = []
    if (row.cordoned_at === null) {
      await setCordon(tx, host, { by: caller.actor, at })
      events.push(hostEvent('cordoned', host, at, { host }, caller))
    }
    await setDraining(tx, host, at, total)
    events.push(hostEvent('drain.started', host, at, { host, instances: total }, caller))
    await appendEvents(tx, store, events)
  })
}

/** Forgets a joined host. Throws SW_CONFLICT while it is connected. */
export async function removeHost(store: Store, host: string, caller: Caller): Promise<void> {
  await transact(store, async (tx) => {
    const row = known(await lockHost(tx, host), host)
    if (row.connection === 'local') throw fail('SW_CONFLICT', `${host} is the controller's own machine`)
    if (row.session !== null)
      throw fail('SW_CONFLICT', `host ${host} is connected`, { remedy: 'drain it and stop it first' })
    if ((await liveInstancesOfHost(tx, host)).length > 0)
      throw fail('SW_CONFLICT', `what ran on host ${host} is not ended yet`, { remedy: 'try it again in a moment' })
    await deleteJoinedHost(tx, host)
    const at = store.clock.now()
    await appendEvents(tx, store, [hostEvent('removed', host, at, { host }, caller)])
  })
}

function known(row: HostRow | null, host: string): HostRow {
  if (row === null) throw fail('SW_NOT_FOUND', `no machine is there as host ${host}`)
  return row
}
