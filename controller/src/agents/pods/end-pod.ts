import { mkdirSync } from 'node:fs'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KubeError } from '../../kube-client/kube-error.ts'
import type { InstanceRow } from '../../store/queries/instances.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import { recordCommandEnd } from '../end-command.ts'
import type { EndReason } from '../end-reasons.ts'
import type { PodEnd, SeenPod } from '../runtimes/pod/pod-state.ts'
import type { PodParts } from './pod-parts.ts'
import type { Watched } from './watched-pods.ts'

/** How long the end of a log may take to arrive; of a pod that is gone, whose node may not answer. */
const LOG_MS = 5_000
const GONE_LOG_MS = 500

export interface EndedPod {
  readonly row: InstanceRow
  readonly task: TaskRow | null
  /** As the cluster told last; null = it is gone, and nobody saw how. */
  readonly end: PodEnd | null
  /** null = it is gone. */
  readonly pod: SeenPod | null
}

/** Records that nothing of a pod runs any more, with what its task came to. Repeating it changes nothing. */
export async function recordPodEnd(parts: PodParts, ended: EndedPod): Promise<void> {
  const { row, end, pod } = ended
  const { fleet, ledger, watched, seen, sweeper } = parts
  const known = watched.get(row.id)
  if (known !== undefined) await known.log.drained(pod === null ? GONE_LOG_MS : LOG_MS)
  const reason = reasonOf(ended, known)
  const exitCode = end?.exitCode ?? null
  if (row.mode === 'perTask') await recordTaskEnd(parts, ended, known, reason)
  else await ledger.ended(row.id, { exitCode, reason, pid: null })
  watched.delete(row.id)
  fleet.context.log.info(
    {
      ...{ instance: row.id, agent: row.agent, namespace: row.namespace, exit_code: exitCode, reason },
      message: end?.message ?? null,
    },
    'the pod of an agent has ended',
  )
  if (row.mode === 'daemon') fleet.changed(row)
  if (pod === null) seen.forgetEnd(row.id)
  else await sweeper.look(pod)
}

function reasonOf({ row, end }: EndedPod, known: Watched | undefined): EndReason {
  const stopped = row.state === 'stopping' ? ('stopped' as const) : null
  const verdict = known?.verdict === 'heartbeat' ? known.verdict : null
  return known?.stopping?.reason ?? verdict ?? stopped ?? howItEnded(row, end)
}

function howItEnded(row: InstanceRow, end: PodEnd | null): EndReason {
  if (end === null) return row.pod_uid === null ? 'not_started' : 'lost'
  return end.isUnstarted ? 'not_started' : 'exited'
}

/** What is read of a command's end is put where that of a process is, and told by the same rules. */
async function recordTaskEnd(
  parts: PodParts,
  { row, task, end, pod }: EndedPod,
  known: Watched | undefined,
  reason: EndReason,
): Promise<void> {
  const { fleet, ledger } = parts
  const exitCode = end?.exitCode ?? null
  const isRead = exitCode !== 0 || (end!.hasResult && pod !== null && (await keepResult(parts, row, pod.metadata.name)))
  if (exitCode !== null && isRead) await writeExit(parts, row, exitCode, end!.at)
  const isLate = exitCode === null && isOverdue(parts, task)
  await recordCommandEnd(
    { ...fleet, ledger },
    {
      row: { id: row.id, agentUid: row.agent_uid, namespace: row.namespace, agent: row.agent },
      task,
      end: { type: exitCode === null ? 'lost' : 'exited', exitCode, reason },
      pod: {
        verdict: isRead ? (known?.verdict ?? (isLate ? 'timeout' : null)) : (known?.verdict ?? 'unread'),
        stopped: known?.stopping?.terminatedAt != null || row.state === 'stopping',
        note: end?.message ?? null,
      },
    },
  )
}

/** The cluster itself ends what runs out of time when no controller is there to do it. */
function isOverdue({ fleet }: PodParts, task: TaskRow | null): boolean {
  return task?.deadline != null && fleet.context.clock.now().getTime() >= task.deadline.getTime()
}

/** False when the pod has gone meanwhile, and its log with it. */
async function keepResult({ fleet, seen }: PodParts, row: InstanceRow, name: string): Promise<boolean> {
  try {
    const bytes = await seen.api.result(name, fleet.context.settings.maxOutputBytes + 1)
    await writeFile(join(folderOf(fleet, row), 'out'), bytes, { mode: 0o600 })
    return true
  } catch (error) {
    if (error instanceof KubeError && error.failure === 'notFound') return false
    throw error
  }
}

async function writeExit({ fleet }: PodParts, row: InstanceRow, exitCode: number, at: number | null): Promise<void> {
  const file = join(folderOf(fleet, row), 'exit')
  await writeFile(file, `${exitCode}\n`, { mode: 0o600 })
  const ended = at === null ? fleet.context.clock.now() : new Date(at)
  await utimes(file, ended, ended)
}

function folderOf(fleet: PodParts['fleet'], row: InstanceRow): string {
  const folder = fleet.workspaces.instanceFolder(row.id)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
