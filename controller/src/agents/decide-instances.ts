import { type AgentTarget, graceMsOf, heartbeatOf, ordinalsOf } from './agent-target.ts'
import { crashesAfter, restartDelayMs } from './backoff.ts'
import type { EndReason, StopReason } from './end-reasons.ts'

/** A process that lives, as far as the decision needs to know it. Times in milliseconds since the epoch. */
export interface LiveInstance {
  readonly id: string
  readonly ordinal: number
  readonly mode: 'daemon' | 'perTask'
  /** It runs on another host, whose own supervisor looks after it: here it only takes the place of its replica. */
  readonly elsewhere?: boolean
  readonly launchDigest: string
  readonly createdAt: number
  readonly lastHeartbeatAt: number | null
  /** It works on something that should not be lost without need. */
  readonly hasTasks: boolean
  /** Set once it was asked to end. */
  readonly stopping: { readonly since: number; readonly terminatedAt: number | null; readonly killed: boolean } | null
}

/** How a replica's daemon ended the last time. */
export interface Ending {
  readonly id: string
  readonly ordinal: number
  readonly launchDigest: string
  readonly createdAt: number
  readonly endedAt: number
  readonly exitCode: number | null
  readonly reason: EndReason
  readonly restartCount: number
  readonly crashCount: number
}

export type InstanceAction =
  | { readonly type: 'start'; readonly ordinal: number; readonly restartCount: number; readonly crashCount: number }
  /** No more tasks for it. */
  | { readonly type: 'drain'; readonly id: string; readonly reason: StopReason }
  | { readonly type: 'terminate'; readonly id: string }
  | { readonly type: 'kill'; readonly id: string; readonly reason: StopReason | 'heartbeat' }
  /** Leave the process alone and forget it. */
  | { readonly type: 'release'; readonly id: string }

/** A replica that is not started now: it waits (`until`), or has done what it was started for (`until` null). */
export interface Held {
  readonly ordinal: number
  readonly until: number | null
  readonly crashCount: number
  readonly ending: Ending
}

export interface InstanceDecision {
  readonly actions: readonly InstanceAction[]
  readonly held: readonly Held[]
  /** When time alone changes the decision; null = never. */
  readonly nextAt: number | null
}

/** After a daemon had its whole grace for a task, it gets this long to end itself. */
const AFTER_GRACE_MS = 10_000

/**
 * What has to happen so that what runs becomes what is wanted. Pure. `observedSince` is when this supervisor began to
 * listen: nobody is declared dead before it had one heartbeat timeout since then.
 *
 * - Never two of one replica: a replica is started only when no process of it lives, a stopping one included.
 * - A suspended agent is left as it is; what was asked to end before still ends.
 * - A terminated one ends at once, suspended or not, and stays ended.
 */
export function decideInstances(
  target: AgentTarget,
  live: readonly LiveInstance[],
  endings: readonly Ending[],
  now: number,
  observedSince: number,
): InstanceDecision {
  const decision: Draft = { actions: [], held: [], wakeUps: [] }
  for (const instance of live)
    if (instance.elsewhere !== true) decideLive(decision, target, instance, now, observedSince)
  const startsNothing = target.suspended || target.deleting || target.terminated
  if (!startsNothing && target.spec.runtime.process.mode === 'daemon') {
    const occupied = new Set(live.map(({ ordinal }) => ordinal))
    const byOrdinal = new Map(endings.map((ending) => [ending.ordinal, ending]))
    for (const ordinal of ordinalsOf(target)) {
      if (!occupied.has(ordinal)) decideMissing(decision, target, ordinal, byOrdinal.get(ordinal), now)
    }
  }
  return {
    actions: decision.actions,
    held: decision.held,
    nextAt: decision.wakeUps.length === 0 ? null : Math.min(...decision.wakeUps),
  }
}

interface Draft {
  readonly actions: InstanceAction[]
  readonly held: Held[]
  readonly wakeUps: number[]
}

function decideLive(
  draft: Draft,
  target: AgentTarget,
  instance: LiveInstance,
  now: number,
  observedSince: number,
): void {
  if (instance.stopping !== null) {
    proceedStopping(draft, target, instance, instance.stopping, now)
    return
  }
  if (target.deleting && target.spec.deletionPolicy === 'Orphan') {
    draft.actions.push({ type: 'release', id: instance.id })
    return
  }
  const reason = stopReason(target, instance)
  if (reason !== null) {
    draft.actions.push({ type: 'drain', id: instance.id, reason })
    proceedStopping(draft, target, instance, { since: now, terminatedAt: null, killed: false }, now)
    return
  }
  if (instance.mode === 'perTask' || target.suspended) return
  const { timeoutMs } = heartbeatOf(target.spec)
  const deadAt = Math.max(instance.lastHeartbeatAt ?? instance.createdAt, observedSince) + timeoutMs
  if (now >= deadAt) draft.actions.push({ type: 'kill', id: instance.id, reason: 'heartbeat' })
  else draft.wakeUps.push(deadAt)
}

/** Why it should end; null = it is what is wanted. A command is left to finish unless its agent goes away or is terminated. */
function stopReason(target: AgentTarget, instance: LiveInstance): StopReason | null {
  if (target.deleting) return 'deleted'
  if (target.terminated) return 'terminated'
  if (instance.mode === 'perTask') return null
  // Also of a suspended agent: it is moved only when its host goes away.
  if (instance.ordinal < target.spec.replicas && !ordinalsOf(target).includes(instance.ordinal)) return 'moved'
  if (target.suspended) return null
  if (target.spec.runtime.process.mode !== 'daemon') return 'replaced'
  if (instance.ordinal >= target.spec.replicas) return 'scaled'
  return instance.launchDigest === target.launchDigest ? null : 'replaced'
}

/** Drain while it works (at most the grace period; terminated, not at all), then TERM, then KILL. */
function proceedStopping(
  draft: Draft,
  target: AgentTarget,
  instance: LiveInstance,
  stopping: NonNullable<LiveInstance['stopping']>,
  now: number,
): void {
  if (target.deleting && target.spec.deletionPolicy === 'WaitForTermination') return
  const graceMs = graceMsOf(target.spec)
  const drainedAt = stopping.since + graceMs
  let terminatedAt = stopping.terminatedAt
  if (terminatedAt === null) {
    if (instance.hasTasks && !target.terminated && now < drainedAt) {
      draft.wakeUps.push(drainedAt)
      return
    }
    draft.actions.push({ type: 'terminate', id: instance.id })
    terminatedAt = now
  }
  const killAt = Math.max(drainedAt, terminatedAt + Math.min(graceMs, AFTER_GRACE_MS))
  if (now < killAt) draft.wakeUps.push(killAt)
  else if (!stopping.killed) draft.actions.push({ type: 'kill', id: instance.id, reason: 'stopped' })
}

function decideMissing(
  draft: Draft,
  target: AgentTarget,
  ordinal: number,
  ending: Ending | undefined,
  now: number,
): void {
  const restartCount = ending === undefined ? 0 : ending.restartCount + 1
  if (ending === undefined || !endedByItself(ending) || ending.launchDigest !== target.launchDigest) {
    draft.actions.push({ type: 'start', ordinal, restartCount, crashCount: 0 })
    return
  }
  const crashCount = crashesAfter({ crashCount: ending.crashCount, ranMs: ending.endedAt - ending.createdAt })
  if (!restarts(target, ending)) {
    draft.held.push({ ordinal, until: null, crashCount, ending })
    return
  }
  // Whom nobody could watch (the machine or the controller was away) did not crash as far as anybody knows.
  const until = ending.reason === 'lost' ? ending.endedAt : ending.endedAt + restartDelayMs(crashCount, ending.id)
  if (now >= until) {
    draft.actions.push({ type: 'start', ordinal, restartCount, crashCount })
    return
  }
  draft.held.push({ ordinal, until, crashCount, ending })
  draft.wakeUps.push(until)
}

function endedByItself({ reason }: Ending): boolean {
  return reason === 'exited' || reason === 'heartbeat' || reason === 'lost' || reason === 'not_started'
}

export function endedWell(ending: Ending): boolean {
  return ending.reason === 'exited' && ending.exitCode === 0
}

function restarts(target: AgentTarget, ending: Ending): boolean {
  switch (target.spec.restartPolicy) {
    case 'Always':
      return true
    case 'OnFailure':
      return !endedWell(ending)
    case 'Never':
      return false
  }
}
