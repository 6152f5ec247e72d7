import { endInstance } from '../store/queries/instances.ts'
import { leasedTasks } from '../store/queries/tasks.ts'
import { transact } from '../store/transact.ts'
import type { EndReason } from './end-reasons.ts'
import { instanceEvent } from './events.ts'
import type { Fleet } from './fleet.ts'
import { type Process, signal } from './process-table.ts'
import { readExit } from './runtimes/process/record.ts'
import { announce, appendChanges, giveBack, type TaskChange } from './tasks.ts'

/** What is known of an instance that ended. */
export interface Ended {
  readonly instanceId: string
  readonly agentUid: string
  readonly namespace: string
  readonly agent: string
  readonly ordinal: number
  readonly pid: number | null
  readonly exitCode: number | null
  readonly reason: EndReason
}

/**
 * Records that a daemon has ended, in one transaction: its row, its tasks back to the queue, the event. Nothing happens
 * when somebody did so before.
 */
export async function recordDaemonEnd(fleet: Fleet, ended: Ended): Promise<void> {
  const { store, settings } = fleet.context
  const changes = await transact(store, async (tx) => {
    const at = store.clock.now()
    const { exitCode, reason } = ended
    const tasks = await leasedTasks(tx, [ended.instanceId])
    const given: TaskChange[] = []
    for (const task of tasks) given.push(await giveBack(tx, store, task, whyLost(reason), settings.maxAttempts))
    if (!(await endInstance(tx, ended.instanceId, { endedAt: at, exitCode, reason }))) {
      await appendChanges(tx, store, given)
      return given
    }
    const data = { ordinal: ended.ordinal, pid: ended.pid, exit_code: exitCode, reason }
    await appendChanges(tx, store, given, [instanceEvent('ended', ended, at, data)])
    return given
  })
  fleet.processes.remove(ended.instanceId)
  announce(fleet, changes)
  for (const { task } of changes)
    if (task !== null && !task.keep_workspace) await fleet.workspaces.removeTaskFolder(ended.agentUid, task)
  fleet.changed(ended)
}

/** Why the task of an instance goes back to the queue. */
export function whyLost(reason: EndReason): string {
  switch (reason) {
    case 'heartbeat':
      return 'the agent that worked on it stopped reporting'
    case 'deleted':
    case 'scaled':
    case 'replaced':
    case 'stopped':
    case 'shutdown':
      return 'the agent that worked on it was stopped'
    default:
      return 'the agent that worked on it ended'
  }
}

/** How a watched process ended. What it may have left behind in its group is ended too. */
export function endingOf(process: Process): Ended {
  signal(process, 'SIGKILL')
  const exit = readExit(process.folder)
  const heartbeat = process.verdict === 'heartbeat' ? 'heartbeat' : null
  return {
    instanceId: process.instanceId,
    agentUid: process.agentUid,
    namespace: process.namespace,
    agent: process.agent,
    ordinal: process.ordinal,
    pid: process.identity.pid,
    exitCode: exit?.code ?? null,
    reason: process.stopping?.reason ?? heartbeat ?? 'exited',
  }
}

/** Forgets a process that goes on by itself: its agent was deleted with deletionPolicy Orphan. */
export async function releaseProcess(fleet: Fleet, process: Process): Promise<void> {
  const { store } = fleet.context
  const { pid } = process.identity
  const changes = await transact(store, async (tx) => {
    const at = store.clock.now()
    const given: TaskChange[] = []
    for (const task of await leasedTasks(tx, [process.instanceId])) {
      given.push(await giveBack(tx, store, task, 'its agent was deleted', Number.MAX_SAFE_INTEGER))
    }
    await endInstance(tx, process.instanceId, { endedAt: at, exitCode: null, reason: 'orphaned' })
    const data = { ordinal: process.ordinal, pid, exit_code: null, reason: 'orphaned' }
    await appendChanges(tx, store, given, [instanceEvent('ended', process, at, data)])
    return given
  })
  fleet.processes.remove(process.instanceId)
  announce(fleet, changes)
  fleet.changed(process)
}
