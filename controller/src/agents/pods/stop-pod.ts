import type { InstanceRow } from '../../store/queries/instances.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import { type AgentTarget, graceMsOf } from '../agent-target.ts'
import type { InstanceAction } from '../decide-instances.ts'
import type { PodLook } from './look-at-pod.ts'
import type { PodParts } from './pod-parts.ts'

/** Does to a pod what was decided of its instance. TERM and KILL are the kubelet's: a deletion with a grace, or hardly any. */
export async function stopPod(
  { fleet, ledger, seen, watched }: PodParts,
  target: AgentTarget,
  action: Exclude<InstanceAction, { type: 'start' }>,
): Promise<void> {
  const pod = watched.get(action.id)
  if (pod === undefined) return
  const now = fleet.context.clock.now().getTime()
  switch (action.type) {
    case 'drain':
      await ledger.draining(action.id, action.reason)
      pod.stopping = { reason: action.reason, since: now, terminatedAt: null, killed: false }
      return
    case 'terminate':
      await seen.api.delete(pod.name, seconds(graceMsOf(target.spec)))
      pod.stopping = { ...pod.stopping!, terminatedAt: now }
      return
    case 'kill':
      await seen.api.delete(pod.name, 1)
      if (action.reason === 'heartbeat') pod.verdict = 'heartbeat'
      else pod.stopping = { ...pod.stopping!, killed: true }
      return
    case 'release':
      await ledger.ended(action.id, { exitCode: null, reason: 'orphaned', pid: null })
      await pod.log.close()
      watched.delete(action.id)
  }
}

/**
 * Ends the pod of a task that nobody waits for any more, that ran out of time, or that still waits to run as its agent is not
 * wanted any more. Answers when its time is over, in milliseconds since the epoch; null = never, or it is being ended.
 */
export async function limitTaskPod(
  { fleet, ledger, seen, watched }: PodParts,
  target: AgentTarget,
  { row, task, look }: { readonly row: InstanceRow; readonly task: TaskRow | null; readonly look: PodLook },
): Promise<number | null> {
  const pod = watched.get(row.id)
  if (pod === undefined || look === 'ended' || pod.verdict !== null || pod.stopping !== null) return null
  const { clock, settings } = fleet.context
  const now = clock.now().getTime()
  const deadline = task?.deadline?.getTime() ?? null
  if (task === null || (deadline !== null && now >= deadline)) {
    await seen.api.delete(pod.name, seconds(settings.killAfterMs))
    pod.verdict = task === null ? 'cancelled' : 'timeout'
    return null
  }
  if (look.since === null && row.launch_digest !== target.launchDigest) {
    await ledger.draining(row.id, 'replaced')
    await seen.api.delete(pod.name, 1)
    pod.stopping = { reason: 'replaced', since: now, terminatedAt: now, killed: false }
    return null
  }
  return deadline
}

function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000))
}
