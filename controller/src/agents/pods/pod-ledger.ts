import { appendEvents } from '../../store/log.ts'
import { endInstance, type InstanceRow, instanceById, setPod } from '../../store/queries/instances.ts'
import { type TaskRow, unlease } from '../../store/queries/tasks.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { instanceEvent, taskEvent } from '../events.ts'

/** Beside the ledger of processes: what is told of pods. Those of tasks come and go with tasks, which have events of their own. */

/** A pod is there. Telling it again changes nothing. */
export async function podStarted(store: Store, id: string, podUid: string): Promise<void> {
  await transact(store, async (tx) => {
    const row = await instanceById(tx, id)
    if (row === null || !(await setPod(tx, id, podUid)) || row.mode === 'perTask') return
    const data = { ...factsOf(row), restart_count: row.restart_count }
    await appendEvents(tx, store, [instanceEvent('started', subjectOf(row), store.clock.now(), data)])
  })
}

/** A pod of a former controller goes on under this one. */
export async function podAdopted(store: Store, row: InstanceRow): Promise<void> {
  if (row.mode === 'perTask') return
  await transact(store, (tx) =>
    appendEvents(tx, store, [instanceEvent('adopted', subjectOf(row), store.clock.now(), factsOf(row))]),
  )
}

/** The cluster refused the pod of a task (a quota, a policy): nothing ran, so none of its attempts is used up. */
export async function podRefused(store: Store, id: string, task: TaskRow, message: string): Promise<void> {
  await transact(store, async (tx) => {
    const at = store.clock.now()
    if (!(await endInstance(tx, id, { endedAt: at, exitCode: null, reason: 'not_started' }))) return
    await unlease(tx, [task.task_id], id)
    await appendEvents(tx, store, [
      taskEvent('requeued', task, at, { reason: `its pod could not be made: ${message}` }),
    ])
  })
}

/** It has no process id that would mean anything here. */
function factsOf({ ordinal, host }: InstanceRow) {
  return { ordinal, host, pid: null }
}

function subjectOf(row: InstanceRow) {
  return { instanceId: row.id, namespace: row.namespace, agent: row.agent }
}
