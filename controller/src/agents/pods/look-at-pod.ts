import type { InstanceRow } from '../../store/queries/instances.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import { podName } from '../runtimes/pod/pod-request.ts'
import { type PodProblem, podState, type SeenPod } from '../runtimes/pod/pod-state.ts'
import { recordPodEnd } from './end-pod.ts'
import { podAdopted, podStarted } from './pod-ledger.ts'
import { type PodParts, watchPod } from './pod-parts.ts'

/** How the pod of a row stands. */
export type PodLook =
  | 'ended'
  /** `since`: its program runs since then, in milliseconds since the epoch; null = it does not yet. */
  | { readonly since: number | null; readonly problem: PodProblem | null }

/** Watches the pod of a row, or records its end. `task`: what it works on, of a pod of a task. */
export async function lookAtPod(parts: PodParts, row: InstanceRow, task: TaskRow | null): Promise<PodLook> {
  const { seen, watched } = parts
  const pod = seen.of(row.id) ?? (await seen.api.find(podName(row.agent, row.id), row.id))
  if (pod === null) {
    await recordPodEnd(parts, { row, task, end: seen.endOf(row.id), pod })
    return 'ended'
  }
  if (!watched.has(row.id)) await takeOver(parts, row, pod)
  const state = podState(pod)
  if (state.type === 'ended') {
    await recordPodEnd(parts, { row, task, end: state, pod })
    return 'ended'
  }
  return state.type === 'running' ? { since: state.since, problem: null } : { since: null, problem: state.problem }
}

/**
 * Whoever made the pod did not live to look after it. One that nobody told the row of runs, or will, when its Secret is there;
 * without its Secret it never runs, and makes room: its place is free when the cluster confirms that.
 */
async function takeOver(parts: PodParts, row: InstanceRow, pod: SeenPod): Promise<void> {
  const { store } = parts.fleet.context
  const { name, uid } = pod.metadata
  const now = store.clock.now().getTime()
  const isWhole = row.pod_uid !== null || podState(pod).type !== 'waiting' || (await parts.seen.api.hasSecret(name))
  if (!isWhole) {
    await parts.seen.api.delete(name, 1)
    watchPod(parts, row, name).stopping = { reason: 'stopped', since: now, terminatedAt: now, killed: false }
    return
  }
  if (row.pod_uid === null) await podStarted(store, row.id, uid)
  else await podAdopted(store, row)
  const watched = watchPod(parts, row, name)
  if (row.state === 'stopping') watched.stopping = { reason: 'stopped', since: now, terminatedAt: null, killed: false }
}
