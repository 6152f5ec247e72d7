import { type InstanceRow, instanceById } from '../../store/queries/instances.ts'
import { type AgentTarget, graceMsOf } from '../agent-target.ts'
import { decideInstances, type Held, type InstanceAction, type LiveInstance } from '../decide-instances.ts'
import type { EndReason, StopReason } from '../end-reasons.ts'
import type { Fleet } from '../fleet.ts'
import { endingOfRow, observedInstance } from '../instance-views.ts'
import type { Ledger, Standing } from '../ledger.ts'
import { type AgentObservation, type Obstacle, summarize } from '../observation.ts'
import { PodLog } from '../runtimes/pod/pod-log.ts'
import { podName } from '../runtimes/pod/pod-manifest.ts'
import { instanceOf, type PodProblem, type PodState, podState, type SeenPod } from '../runtimes/pod/pod-state.ts'
import { podHost } from './pod-host.ts'
import { podAdopted } from './pod-ledger.ts'
import { SeenPods } from './seen-pods.ts'
import { startPod } from './start-pod.ts'

/** What this controller knows of a pod beside its row. Times in milliseconds since the epoch. */
interface Watched {
  readonly name: string
  readonly log: PodLog
  stopping: {
    readonly reason: StopReason
    readonly since: number
    readonly terminatedAt: number | null
    readonly killed: boolean
  } | null
  verdict: 'heartbeat' | null
}

interface Memory {
  held: readonly Held[]
  obstacle: Obstacle | null
  timer: NodeJS.Timeout | undefined
}

const ROUNDS = 4
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** How long the end of a log may take to arrive. */
const LOG_MS = 5_000

const NOWHERE: Obstacle = {
  reason: 'NoHost',
  message: 'this controller runs no pods: set STATEWARD_PODS_NAMESPACE and STATEWARD_PODS_URL',
}

/**
 * Keeps the pods of agents equal to what is wanted, by the same decisions as for processes: rows first, then the pod; never two
 * of one replica, since a row ends only when the cluster says that nothing of its pod runs any more. What a former controller
 * left is found by the names in the rows. Level-triggered: every look reads rows and pods, and acts on nothing else.
 */
export class PodSupervisor {
  readonly #fleet: Fleet
  readonly #ledger: Ledger
  readonly #seen: SeenPods | null
  readonly #memory = new Map<string, Memory>()
  readonly #watched = new Map<string, Watched>()
  /** Instances whose row is there and whose pod is being made at this moment. */
  readonly #starting = new Set<string>()
  /** How pods ended, as the cluster told last: the node takes a pod away as soon as it has confirmed its end. */
  readonly #ends = new Map<string, Extract<PodState, { type: 'ended' }>>()
  /** Agents that may have pods. */
  readonly #holding = new Set<string>()
  #isOpen = false

  constructor(fleet: Fleet, ledgerOf: (host: string) => Ledger) {
    const { pods, clock } = fleet.context
    this.#fleet = fleet
    this.#ledger = ledgerOf(podHost(pods?.namespace ?? ''))
    const monotonicMs = () => clock.monotonicMs()
    this.#seen = pods === null ? null : new SeenPods(pods, { monotonicMs, changed: (pod) => this.#podChanged(pod) })
  }

  /** From here on this process supervises pods; those that live already are adopted as soon as the cluster tells of them. */
  async start(): Promise<void> {
    for (const row of await this.#ledger.living()) this.#holding.add(row.agent_uid)
    this.#isOpen = true
    await this.#seen?.start()
  }

  /** Stops watching; every pod stays as it is, for the next controller. */
  async close(): Promise<void> {
    this.#isOpen = false
    for (const { timer } of this.#memory.values()) clearTimeout(timer)
    // What is under way still asks the cluster.
    await this.#fleet.serial.idle()
    await this.#seen?.stop()
    await Promise.all([...this.#watched.values()].map(({ log }) => log.close()))
    this.#watched.clear()
    this.#memory.clear()
  }

  /** Whether an agent may have pods, although it is wanted as something else by now. */
  mayHold(agentUid: string): boolean {
    return this.#holding.has(agentUid)
  }

  ensure(target: AgentTarget): Promise<AgentObservation> {
    return this.#fleet.serial.run(target.uid, () => {
      this.#fleet.targets.set(target.uid, target)
      return this.#converge(target)
    })
  }

  observe(target: AgentTarget): Promise<AgentObservation> {
    return this.#summary(target)
  }

  /** A look that no target asked for. */
  async look(agentUid: string): Promise<void> {
    const { serial, targets, changed, context } = this.#fleet
    if (!this.#isOpen) return
    try {
      await serial.run(agentUid, async () => {
        const target = targets.get(agentUid)
        if (target === undefined || !this.#isOpen) return
        const before = this.#memory.get(agentUid)?.obstacle?.message
        await this.#converge(target)
        if (before !== this.#memory.get(agentUid)?.obstacle?.message)
          changed({ namespace: target.namespace, agent: target.name })
      })
    } catch (error) {
      context.log.warn(
        { err: error, agent_uid: agentUid },
        'could not look after the pods of an agent; it is tried again',
      )
      this.#lookAgain(agentUid, context.clock.now().getTime() + context.settings.retryMs)
    }
  }

  #podChanged(pod: SeenPod | null): void {
    if (!this.#isOpen) return
    const pods = pod === null ? this.#seen!.all() : [pod]
    for (const one of pods) {
      const state = podState(one)
      if (state.type === 'ended') this.#ends.set(instanceOf(one) ?? '', state)
      void this.#sweep(one)
    }
    const uids = pod === null ? this.#holding : [pod.metadata.labels?.['stateward.dev/agent-uid'] ?? '']
    for (const uid of uids) void this.look(uid)
  }

  /** Deletes a pod whose instance has ended: what was left when the cluster, or this process, was away. Those of others stay. */
  async #sweep(pod: SeenPod): Promise<void> {
    const id = instanceOf(pod)
    if (id === null) return
    try {
      const row = await instanceById(this.#fleet.context.store.engine, id)
      if (row !== null && row.ended_at === null) return
      this.#ends.delete(id)
      if (row === null || row.end_reason === 'orphaned' || pod.metadata.deletionTimestamp !== undefined) return
      await this.#seen!.api.delete(pod.metadata.name, 1)
    } catch (error) {
      this.#fleet.context.log.warn({ err: error, pod: pod.metadata.name }, 'could not delete a pod that has ended')
    }
  }

  async #converge(target: AgentTarget): Promise<AgentObservation> {
    const { clock, settings } = this.#fleet.context
    const memory = this.#remembered(target.uid)
    let nextAt: number | null = null
    if (!this.#isOpen) return this.#summary(target)
    await this.#seen?.start()
    memory.obstacle = this.#seen === null ? NOWHERE : this.#seen.trouble()
    for (let round = 1; round <= ROUNDS && this.#isOpen && memory.obstacle === null; round++) {
      const { standing, live, problem } = await this.#standing(target)
      const now = clock.now().getTime()
      const endings = standing.endings.map(endingOfRow)
      const decision = decideInstances(target, live, endings, now, this.#fleet.observedSince)
      memory.held = decision.held
      nextAt = decision.nextAt
      if (problem !== null) memory.obstacle = obstacleOf(problem)
      const obstacle = await this.#act(target, decision.actions)
      if (obstacle !== null) memory.obstacle = obstacle
      if (decision.actions.length === 0) break
    }
    const retryAt = memory.obstacle === null ? null : clock.now().getTime() + settings.retryMs
    this.#lookAgain(target.uid, nextAt, retryAt)
    const summary = await this.#summary(target)
    if (summary.gone) this.#holding.delete(target.uid)
    if (summary.gone && target.deleting) this.#forget(target.uid)
    return summary
  }

  /** How its pods stand, after the ends of those that have ended were recorded. */
  async #standing(target: AgentTarget) {
    const look = () => this.#ledger.look(target.uid, target.spec.replicas)
    let standing: Standing = await look()
    const live: LiveInstance[] = []
    let problem: PodProblem | null = null
    let hasEnded = false
    for (const row of standing.live) {
      const isOurs = row.host === podHost(this.#seen!.api.namespace)
      const found = isOurs && !this.#starting.has(row.id) ? await this.#look(row) : 'elsewhere'
      if (found === 'ended') hasEnded = true
      else {
        live.push(this.#liveOf(row, found, standing))
        if (found !== 'elsewhere') problem ??= found.problem
      }
    }
    if (hasEnded) standing = await look()
    return { standing, live, problem }
  }

  /** Watches the pod of a row, or records its end. */
  async #look(
    row: InstanceRow,
  ): Promise<'ended' | { readonly since: number | null; readonly problem: PodProblem | null }> {
    const pod = this.#seen!.of(row.id) ?? (await this.#seen!.api.find(podName(row.agent, row.id), row.id))
    if (pod === null) {
      const end = this.#ends.get(row.id)
      if (end !== undefined) await this.#recordEnd(row, end.exitCode, 'exited', end.message)
      else await this.#recordEnd(row, null, row.pod_uid === null ? 'not_started' : 'lost')
      return 'ended'
    }
    if (row.pod_uid === null) {
      // Whoever made it did not live to say so: nobody knows whether it has its Secret.
      await this.#seen!.api.delete(pod.metadata.name, 1)
      await this.#recordEnd(row, null, 'not_started')
      return 'ended'
    }
    const state = podState(pod)
    await this.#watch(row, pod)
    if (state.type === 'ended') {
      await this.#recordEnd(row, state.exitCode, 'exited', state.message)
      return 'ended'
    }
    return state.type === 'running' ? { since: state.since, problem: null } : { since: null, problem: state.problem }
  }

  async #watch(row: InstanceRow, pod: SeenPod): Promise<void> {
    if (this.#watched.has(row.id)) return
    const { store } = this.#fleet.context
    this.#holding.add(row.agent_uid)
    const watched: Watched = this.#watchedOf(row.id, pod.metadata.name)
    if (row.state === 'stopping')
      watched.stopping = { reason: 'stopped', since: store.clock.now().getTime(), terminatedAt: null, killed: false }
    await podAdopted(store, row)
  }

  #watchedOf(instanceId: string, name: string): Watched {
    const seen = this.#seen!
    const folder = this.#fleet.workspaces.instanceFolder(instanceId)
    const log = new PodLog(seen.api, name, folder, () => seen.hasStarted(name))
    const watched: Watched = { name, log, stopping: null, verdict: null }
    this.#watched.set(instanceId, watched)
    return watched
  }

  async #recordEnd(
    row: InstanceRow,
    exitCode: number | null,
    how: EndReason,
    message: string | null = null,
  ): Promise<void> {
    const watched = this.#watched.get(row.id)
    if (watched !== undefined) await watched.log.drained(LOG_MS)
    const stopped = row.state === 'stopping' ? ('stopped' as const) : null
    const reason = watched?.stopping?.reason ?? watched?.verdict ?? stopped ?? how
    await this.#ledger.ended(row.id, { exitCode, reason, pid: null })
    this.#watched.delete(row.id)
    this.#ends.delete(row.id)
    this.#fleet.context.log.info(
      { instance: row.id, agent: row.agent, namespace: row.namespace, exit_code: exitCode, reason, message },
      'the pod of an agent has ended',
    )
    this.#fleet.changed(row)
    // Its log is copied: nothing of it is needed any more. What fails here is swept later.
    if (how === 'exited') await this.#seen!.api.delete(podName(row.agent, row.id), 1).catch(() => {})
  }

  #liveOf(row: InstanceRow, found: { readonly since: number | null } | 'elsewhere', { tasks }: Standing): LiveInstance {
    const now = this.#fleet.context.clock.now().getTime()
    return {
      id: row.id,
      ordinal: row.ordinal,
      mode: row.mode,
      elsewhere: found === 'elsewhere',
      launchDigest: row.launch_digest,
      // Nobody reports from a pod whose image is still being pulled.
      createdAt:
        found === 'elsewhere' ? row.created_at.getTime() : Math.max(row.created_at.getTime(), found.since ?? now),
      lastHeartbeatAt: row.last_heartbeat_at?.getTime() ?? null,
      hasTasks: tasks.some(({ instance_id }) => instance_id === row.id),
      stopping: this.#watched.get(row.id)?.stopping ?? null,
    }
  }

  async #act(target: AgentTarget, actions: readonly InstanceAction[]): Promise<Obstacle | null> {
    for (const action of actions) if (action.type !== 'start') await this.#end(target, action)
    for (const action of actions) {
      if (action.type !== 'start' || !this.#isOpen) continue
      if (!this.#ledger.canStart()) return { reason: 'Failed', message: 'the lease could not be renewed in time' }
      this.#holding.add(target.uid)
      const parts = { fleet: this.#fleet, ledger: this.#ledger, api: this.#seen!.api, starting: this.#starting }
      const started = await startPod(parts, target, action)
      if (started.type === 'obstacle') return started.obstacle
      if (started.type === 'started') this.#watchedOf(started.instanceId, started.name)
    }
    return null
  }

  async #end(target: AgentTarget, action: Exclude<InstanceAction, { type: 'start' }>): Promise<void> {
    const watched = this.#watched.get(action.id)
    if (watched === undefined) return
    const now = this.#fleet.context.clock.now().getTime()
    const { api } = this.#seen!
    switch (action.type) {
      case 'drain':
        await this.#ledger.draining(action.id, action.reason)
        watched.stopping = { reason: action.reason, since: now, terminatedAt: null, killed: false }
        return
      case 'terminate':
        await api.delete(watched.name, Math.max(1, Math.round(graceMsOf(target.spec) / 1000)))
        watched.stopping = { ...watched.stopping!, terminatedAt: now }
        return
      case 'kill':
        await api.delete(watched.name, 1)
        if (action.reason === 'heartbeat') watched.verdict = 'heartbeat'
        else watched.stopping = { ...watched.stopping!, killed: true }
        return
      case 'release':
        await this.#ledger.ended(action.id, { exitCode: null, reason: 'orphaned', pid: null })
        await watched.log.close()
        this.#watched.delete(action.id)
    }
  }

  async #summary(target: AgentTarget): Promise<AgentObservation> {
    const { live, tasks } = await this.#ledger.look(target.uid, target.spec.replicas)
    const working = new Map(tasks.map((task) => [task.instance_id, task.task_id]))
    const memory = this.#memory.get(target.uid)
    return summarize({
      target,
      instances: live.map((row) => observedInstance(row, working.get(row.id))),
      held: memory?.held ?? [],
      obstacle: memory?.obstacle ?? null,
      now: this.#fleet.context.clock.now().getTime(),
      observedSince: this.#fleet.observedSince,
    })
  }

  #lookAgain(agentUid: string, ...times: (number | null)[]): void {
    const memory = this.#remembered(agentUid)
    clearTimeout(memory.timer)
    const due = times.filter((time) => time !== null)
    if (due.length === 0 || !this.#isOpen) return
    const delay = Math.min(...due) - this.#fleet.context.clock.now().getTime()
    memory.timer = setTimeout(() => void this.look(agentUid), Math.min(Math.max(delay, 1), LONGEST_TIMER_MS))
    memory.timer.unref()
  }

  #forget(agentUid: string): void {
    clearTimeout(this.#memory.get(agentUid)?.timer)
    this.#memory.delete(agentUid)
    this.#fleet.targets.delete(agentUid)
  }

  #remembered(agentUid: string): Memory {
    const known = this.#memory.get(agentUid)
    if (known !== undefined) return known
    const memory: Memory = { held: [], obstacle: null, timer: undefined }
    this.#memory.set(agentUid, memory)
    return memory
  }
}

function obstacleOf({ kind, message }: PodProblem): Obstacle {
  return { reason: kind === 'room' ? 'NoHost' : 'Failed', message: `its pod waits: ${message}` }
}
