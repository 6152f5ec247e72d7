import { bootId, isAlive, type ProcessIdentity } from '../lib/process-identity.ts'
import { findShim, preventStart, readExit } from '../lib/programs/record.ts'
import type { InstanceRow } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import type { EndReason } from './end-reasons.ts'
import type { HostFleet } from './fleet.ts'
import type { Process } from './process-table.ts'
import { signalInstance } from './runtimes/process/signal-instance.ts'

/** What became of the process of a row that a former controller left. */
export type Found =
  | { readonly type: 'alive'; readonly identity: ProcessIdentity }
  | { readonly type: 'ended'; readonly exitCode: number | null; readonly reason: EndReason }

/**
 * Finds out, without guessing: the pid and start time of the row (or, when the controller was killed before it wrote
 * them, of the shim's own record), else the exit record. When there is neither, nobody knows how it ended.
 * What a dead leader left behind in its group is ended: a replica must not run twice.
 */
export function findProcess(row: InstanceRow, folder: string): Found {
  const exit = readExit(folder)
  if (row.boot_id !== bootId()) return ended(exit?.code)
  let identity = row.pid === null ? findShim(folder) : { pid: row.pid, start: row.pid_start! }
  if (identity === null && exit === null) {
    if (preventStart(folder)) return { type: 'ended', exitCode: null, reason: 'not_started' }
    // It was just about to write who it is.
    identity = findShim(folder)
  }
  if (identity !== null && isAlive(identity)) return { type: 'alive', identity }
  if (identity !== null) signalInstance(identity, 'SIGKILL', row.id)
  // Read again: it may have ended in between.
  return ended(readExit(folder)?.code)
}

function ended(exitCode: number | undefined): Found {
  return exitCode === undefined
    ? { type: 'ended', exitCode: null, reason: 'lost' }
    : { type: 'ended', exitCode, reason: 'exited' }
}

/** Takes a living process of a former controller over. */
export async function adopt(
  fleet: HostFleet,
  row: InstanceRow,
  identity: ProcessIdentity,
  task: TaskRow | null,
): Promise<Process> {
  const now = fleet.context.clock.now()
  const process: Process = {
    instanceId: row.id,
    agentUid: row.agent_uid,
    namespace: row.namespace,
    agent: row.agent,
    ordinal: row.ordinal,
    mode: row.mode,
    identity,
    folder: fleet.workspaces.instanceFolder(row.id),
    task,
    redact: null,
    stopping:
      row.state === 'stopping' ? { reason: 'stopped', since: now.getTime(), terminatedAt: null, killed: false } : null,
    verdict: null,
    killAt: null,
  }
  await fleet.ledger.adopted(row.id, identity)
  fleet.processes.add(process, null)
  return process
}
