import { readExit } from '../lib/programs/record.ts'
import type { EndReason } from './end-reasons.ts'
import type { HostFleet } from './fleet.ts'
import { type Process, signal } from './process-table.ts'

/** What is known of an instance that ended. */
export interface Ended {
  readonly instanceId: string
  readonly agentUid: string
  readonly namespace: string
  readonly agent: string
  readonly pid: number | null
  readonly exitCode: number | null
  readonly reason: EndReason
}

/** Records that a daemon has ended. Nothing happens when somebody did so before. */
export async function recordDaemonEnd(fleet: HostFleet, ended: Ended): Promise<void> {
  const { exitCode, reason, pid } = ended
  const tasks = await fleet.ledger.ended(ended.instanceId, { exitCode, reason, pid })
  fleet.processes.remove(ended.instanceId)
  for (const task of tasks) if (!task.keep_workspace) await fleet.workspaces.removeTaskFolder(ended.agentUid, task)
  fleet.changed(ended)
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
    pid: process.identity.pid,
    exitCode: exit?.code ?? null,
    reason: process.stopping?.reason ?? heartbeat ?? 'exited',
  }
}

/** Forgets a process that goes on by itself: its agent was deleted with deletionPolicy Orphan. Its files stay with it. */
export async function releaseProcess(fleet: HostFleet, process: Process): Promise<void> {
  const { pid } = process.identity
  await fleet.ledger.ended(process.instanceId, { exitCode: null, reason: 'orphaned', pid })
  fleet.processes.remove(process.instanceId)
  fleet.changed(process)
}
