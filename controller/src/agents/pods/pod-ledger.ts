import { appendEvents } from '../../store/log.ts'
import { type InstanceRow, instanceById, setPod } from '../../store/queries/instances.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { instanceEvent } from '../events.ts'

/** Beside the ledger of processes: what is told of a pod that is there. Telling it again changes nothing. */
export async function podStarted(store: Store, id: string, podUid: string): Promise<void> {
  await transact(store, async (tx) => {
    const row = await instanceById(tx, id)
    if (row === null || !(await setPod(tx, id, podUid))) return
    const data = { ...factsOf(row), restart_count: row.restart_count }
    await appendEvents(tx, store, [instanceEvent('started', subjectOf(row), store.clock.now(), data)])
  })
}

/** A pod of a former controller goes on under this one. */
export async function podAdopted(store: Store, row: InstanceRow): Promise<void> {
  await transact(store, (tx) =>
    appendEvents(tx, store, [instanceEvent('adopted', subjectOf(row), store.clock.now(), factsOf(row))]),
  )
}

/** It has no process id that would mean anything here. */
function factsOf({ ordinal, host }: InstanceRow) {
  return { ordinal, host, pid: null }
}

function subjectOf(row: InstanceRow) {
  return { instanceId: row.id, namespace: row.namespace, agent: row.agent }
}
