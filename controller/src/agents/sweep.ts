import { abandonedParts } from '../store/queries/task-parts.ts'
import { lostTasks, overdueTasks } from '../store/queries/tasks.ts'
import { transact } from '../store/transact.ts'
import type { Fleet } from './fleet.ts'
import { redactor } from './redaction.ts'
import { timedOut } from './task-command.ts'
import { failed } from './task-outcome.ts'
import { announce, appendChanges, cancelTask, giveBack, settleTask, type TaskChange } from './tasks.ts'

/**
 * Looks for tasks that nobody works on any more: their lease ran out (they go back to the queue), their time is over (they
 * failed), or they are parts of a task that failed or was cancelled (they are cancelled, too). Writes nothing when there is none.
 */
export async function sweepTasks(fleet: Fleet): Promise<void> {
  const { store, settings } = fleet.context
  const now = store.clock.now()
  const overdue = await overdueTasks(store.engine, now)
  // Leases ran out while nobody was there to renew them: daemons get the time to report first.
  const lost = now.getTime() - fleet.observedSince < settings.leaseMs ? [] : await lostTasks(store.engine, now)
  const late = new Set(overdue.map(({ task_id }) => task_id))
  for (const task of overdue) {
    const outcome =
      task.deadline === null
        ? failed('deadline_exceeded', 'the task ran out of time', redactor([]))
        : timedOut(task.deadline, redactor([]))
    await one(fleet, (tx) => settleTask(tx, store, task, outcome, 'controller'))
  }
  for (const task of lost) {
    if (late.has(task.task_id)) continue
    const change = await one(fleet, (tx) =>
      giveBack(tx, store, task, 'the agent that took it did not report on it', settings.maxAttempts),
    )
    const holder = task.instance_id === null ? undefined : fleet.processes.get(task.instance_id)
    if (change.task !== null && holder !== undefined && !task.keep_workspace)
      await fleet.workspaces.removeTaskFolder(holder.agentUid, task)
  }
  for (const part of await abandonedParts(store.engine)) await one(fleet, (tx) => cancelTask(tx, store, part.task_id))
}

async function one(
  fleet: Fleet,
  work: (tx: Parameters<typeof settleTask>[0]) => Promise<TaskChange>,
): Promise<TaskChange> {
  const { store } = fleet.context
  const change = await transact(store, async (tx) => {
    const change = await work(tx)
    await appendChanges(tx, store, [change])
    return change
  })
  announce(fleet, [change])
  return change
}
