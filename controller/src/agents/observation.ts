import type { AgentPhase } from '../kinds/agent/agent-status.schema.ts'
import type { Reason } from '../kinds/conditions.ts'
import { type AgentTarget, heartbeatOf } from './agent-target.ts'
import { endedWell, type Held } from './decide-instances.ts'

/** One process, as status shows it. */
interface InstanceStatus {
  readonly id: string
  readonly ordinal: number
  readonly host: string
  readonly pid?: number
  readonly startedAt: string
  readonly lastHeartbeatTime?: string
  readonly restartCount: number
  readonly currentTask?: string
}

/** What became of an agent: its status fields, and whether it is Ready and why. */
export interface AgentObservation {
  readonly phase: AgentPhase
  /** Daemons that exist; of a perTask agent how many tasks it takes at once. */
  readonly replicas: number
  readonly readyReplicas: number
  /** Daemons. */
  readonly instances: readonly InstanceStatus[]
  /** Commands that run at this moment: they come and go with tasks, so they belong into live views only. */
  readonly commands: readonly InstanceStatus[]
  readonly ready: { readonly status: 'True' | 'False' | 'Unknown'; readonly reason: Reason; readonly message: string }
  /** Nothing of it lives on any host: what was created is gone. */
  readonly gone: boolean
}

/** What keeps an agent from being started at all. */
export interface Obstacle {
  readonly reason: Extract<Reason, 'NoHost' | 'DatabaseHostRequired' | 'CommandNotFound' | 'SecretMissing' | 'Failed'>
  readonly message: string
}

/** What keeps replicas from running: those that wait, and why none can be started. */
export interface Hindrance {
  readonly held: readonly Held[]
  readonly obstacle: Obstacle | null
}

/** A living process with what its status shows. */
export interface ObservedInstance extends InstanceStatus {
  readonly mode: 'daemon' | 'perTask'
  readonly launchDigest: string
  readonly stopping: boolean
  readonly registered: boolean
  /** Milliseconds since the epoch. */
  readonly lastSeenAt: number
}

export interface Observed {
  readonly target: AgentTarget
  readonly instances: readonly ObservedInstance[]
  readonly held: readonly Held[]
  readonly obstacle: Obstacle | null
  readonly now: number
  readonly observedSince: number
}

/** Sums up in the words of status. Pure. */
export function summarize(observed: Observed): AgentObservation {
  const { target, instances } = observed
  const daemons = instances.filter(({ mode }) => mode === 'daemon')
  const ready = daemons.filter((instance) => isReady(observed, instance)).length
  const verdict = verdictOf(observed, ready)
  const takesTasks = target.spec.runtime.process.mode === 'perTask' && !target.deleting
  return {
    phase: verdict.phase,
    replicas: takesTasks ? target.spec.replicas : daemons.length,
    readyReplicas: takesTasks ? (verdict.status === 'True' ? target.spec.replicas : 0) : ready,
    instances: daemons.map(statusOf),
    commands: instances.filter(({ mode }) => mode === 'perTask').map(statusOf),
    ready: { status: verdict.status, reason: verdict.reason, message: verdict.message },
    gone: instances.length === 0,
  }
}

function statusOf(instance: ObservedInstance): InstanceStatus {
  const { id, ordinal, host, pid, startedAt, lastHeartbeatTime, restartCount, currentTask } = instance
  return {
    id,
    ordinal,
    host,
    ...(pid === undefined ? {} : { pid }),
    startedAt,
    ...(lastHeartbeatTime === undefined ? {} : { lastHeartbeatTime }),
    restartCount,
    ...(currentTask === undefined ? {} : { currentTask }),
  }
}

/** A daemon is ready when it registered and reports. */
function isReady({ target, now, observedSince }: Observed, instance: ObservedInstance): boolean {
  const { timeoutMs } = heartbeatOf(target.spec)
  return instance.registered && !instance.stopping && now - Math.max(instance.lastSeenAt, observedSince) < timeoutMs
}

interface Verdict {
  readonly phase: AgentPhase
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: Reason
  readonly message: string
}

function verdictOf(observed: Observed, ready: number): Verdict {
  const { target, instances, obstacle } = observed
  if (target.deleting) return deleting(instances.length)
  if (target.terminated) return terminated(instances.length)
  if (target.suspended) return no('Paused', 'Suspended', 'suspended: nothing is started, and no task is handed out')
  if (target.external === true)
    return yes(ready > 0 ? 'Running' : 'Pending', `${ready} of ${target.spec.replicas} registered and report`)
  if (target.spec.replicas === 0 && instances.length === 0) return yes('Stopped', 'replicas is 0: nothing is to run')
  if (target.spec.runtime.process.mode === 'perTask') {
    return obstacle === null ? yes('Running', `takes up to ${tasks(target.spec.replicas)} at once`) : hindered(obstacle)
  }
  const current = instances.filter((one) => one.launchDigest === target.launchDigest && !one.stopping)
  if (ready === target.spec.replicas && instances.length === ready && current.length === ready) {
    return yes('Running', ready === 1 ? 'it runs and reports' : `all ${ready} run and report`)
  }
  if (obstacle !== null) return hindered(obstacle)
  const waiting = held(observed)
  if (waiting !== null) return waiting
  return notYet(observed, ready, current.length)
}

function notYet({ target, instances, observedSince, now }: Observed, ready: number, current: number): Verdict {
  const progress = `${ready} of ${target.spec.replicas} ready`
  if (current < instances.length)
    return no(ready > 0 ? 'Running' : 'Starting', 'Progressing', `${progress}; older instances are being stopped`)
  const { timeoutMs } = heartbeatOf(target.spec)
  const silent = instances.find((one) => one.registered && now - Math.max(one.lastSeenAt, observedSince) >= timeoutMs)
  if (silent !== undefined) {
    return no(
      'Failed',
      'HeartbeatMissed',
      `instance ${silent.ordinal} has not reported for ${target.spec.heartbeat.timeout}`,
    )
  }
  return no(
    ready > 0 ? 'Running' : 'Starting',
    'Starting',
    `${progress}; the others were started and have not registered yet`,
  )
}

function held({ held: replicas, instances, target }: Observed): Verdict | null {
  const waiting = replicas.filter((one) => one.until !== null)
  const worst = waiting.reduce<Held | null>((a, b) => (a === null || b.crashCount > a.crashCount ? b : a), null)
  if (worst !== null) {
    const at = new Date(worst.until!).toISOString()
    const text = `instance ${worst.ordinal} ${howItEnded(worst)}`
    if (worst.crashCount < 2) return no('Starting', 'Starting', `${text}; it is started again at ${at}`)
    return no('Failed', 'CrashLoop', `${text}, ${worst.crashCount} times in a row; next start at ${at}`)
  }
  const done = replicas[0]
  if (done === undefined || instances.length > 0) return null
  const text = `${howItEnded(done)}; restartPolicy is ${target.spec.restartPolicy}`
  return replicas.every(({ ending }) => endedWell(ending))
    ? no('Stopped', 'Stopped', text)
    : no('Failed', 'Failed', text)
}

function howItEnded({ ending }: Held): string {
  switch (ending.reason) {
    case 'heartbeat':
      return 'was ended because its heartbeats stayed away'
    case 'lost':
      return 'ended while no controller watched'
    case 'not_started':
      return 'could not be started'
    default:
      return ending.exitCode === null ? 'was killed' : `ended with exit code ${ending.exitCode}`
  }
}

function deleting(living: number): Verdict {
  if (living === 0) return no('Stopped', 'Terminating', 'removed from Git; nothing of it runs any more')
  return no(
    'Running',
    'Terminating',
    `removed from Git; ${living} still ${living === 1 ? 'runs' : 'run'} and ${living === 1 ? 'is' : 'are'} being stopped`,
  )
}

function terminated(living: number): Verdict {
  if (living === 0) return yes('Stopped', 'terminated: it stays stopped until it is resumed')
  return no('Running', 'Terminating', `terminated; ${living} still ${living === 1 ? 'runs' : 'run'}`)
}

/** What only waits for room is pending; what somebody has to correct has failed. */
function hindered({ reason, message }: Obstacle): Verdict {
  return no(reason === 'NoHost' || reason === 'DatabaseHostRequired' ? 'Pending' : 'Failed', reason, message)
}

function tasks(count: number): string {
  return count === 1 ? '1 task' : `${count} tasks`
}

function yes(phase: AgentPhase, message: string): Verdict {
  return { phase, status: 'True', reason: 'Succeeded', message }
}

function no(phase: AgentPhase, reason: Reason, message: string): Verdict {
  return { phase, status: 'False', reason, message }
}
