import type { JsonObject } from '../../lib/json.ts'
import type { InstanceRow } from '../../store/queries/instances.ts'
import type { AgentTarget } from '../agent-target.ts'
import { decideInstances, type InstanceAction, type LiveInstance } from '../decide-instances.ts'
import type { Fleet } from '../fleet.ts'
import { endingOfRow, observedInstance } from '../instance-views.ts'
import type { Ledger, Standing } from '../ledger.ts'
import { type AgentObservation, type Obstacle, summarize } from '../observation.ts'
import { AGENT_LABEL } from '../runtimes/pod/pod-request.ts'
import { type PodProblem, podState, type SeenPod } from '../runtimes/pod/pod-state.ts'
import { AgentMemory } from './agent-memory.ts'
import { lookAtPod, type PodLook } from './look-at-pod.ts'
import { podHost } from './pod-host.ts'
import type { PodParts } from './pod-parts.ts'
import { PodSweeper } from './pod-sweeper.ts'
import { PodTasks } from './pod-tasks.ts'
import { SeenPods } from './seen-pods.ts'
import { startPod, suppliesOf } from './start-pod.ts'
import { limitTaskPod, stopPod } from './stop-pod.ts'

const ROUNDS = 4

const NOWHERE: Obstacle = {
  reason: 'NoHost',
  message: 'this controller runs no pods: set STATEWARD_PODS_NAMESPACE and STATEWARD_PODS_URL',
}

/** What a look at the rows of an agent and their pods found. */
interface Found {
  readonly standing: Standing
  readonly live: readonly LiveInstance[]
  readonly problem: PodProblem | null
  /** When time alone changes something about the pods of tasks. */
  readonly limits: readonly (number | null)[]
}

/**
 * Keeps the pods of agents equal to what is wanted, by the same decisions as for processes: rows first, then the pod; never two
 * of one replica or one task, since a row ends only when the cluster says that nothing of its pod runs any more. What a former
 * controller left is found by the names in the rows. Level-triggered: every look reads rows and pods, and acts on nothing else.
 */
export class PodSupervisor {
  readonly #fleet: Fleet
  readonly #ledger: Ledger
  /** null = this controller runs no pods. */
  readonly #parts: PodParts | null
  readonly #tasks: PodTasks
  readonly #memory = new AgentMemory((agentUid) => void this.look(agentUid))
  /** Agents that may have pods. */
  readonly #holding = new Set<string>()
  #isOpen = false

  constructor(fleet: Fleet, ledgerOf: (host: string) => Ledger) {
    const { pods, clock, store, log, settings } = fleet.context
    this.#fleet = fleet
    this.#ledger = ledgerOf(podHost(pods?.namespace ?? ''))
    this.#tasks = new PodTasks(fleet, this.#ledger, (agentUid) => void this.look(agentUid))
    this.#parts = null
    if (pods === null) return
    const monotonicMs = () => clock.monotonicMs()
    const seen = new SeenPods(pods, { monotonicMs, changed: (pod) => this.#podChanged(pod) })
    const sweeper = new PodSweeper({ seen, store, log, retryMs: settings.retryMs })
    this.#parts = { fleet, ledger: this.#ledger, seen, sweeper, watched: new Map(), starting: new Set() }
  }

  /** From here on this process supervises pods; those that live already are adopted as soon as the cluster tells of them. */
  async start(): Promise<void> {
    for (const row of await this.#ledger.living()) this.#holding.add(row.agent_uid)
    this.#isOpen = true
    await this.#parts?.seen.start()
    this.#tasks.start()
  }

  /** Stops watching; every pod stays as it is, for the next controller. */
  async close(): Promise<void> {
    this.#isOpen = false
    this.#tasks.close()
    this.#memory.clear()
    // What is under way still asks the cluster.
    await this.#fleet.serial.idle()
    this.#memory.clear()
    if (this.#parts === null) return
    const { seen, sweeper, watched } = this.#parts
    sweeper.close()
    await seen.stop()
    await Promise.all([...watched.values()].map(({ log }) => log.close()))
    watched.clear()
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

  /** Nobody waits for the task of that step any more, and that is committed: its pod ends now. */
  taskCancelled(): void {
    void this.#tasks.lookSoon()
  }

  /** The pods of an agent that live, as the cluster tells of them. */
  podsOf(agentUid: string): readonly JsonObject[] {
    const all = this.#isOpen ? (this.#parts?.seen.all() ?? []) : []
    const live = all.filter(
      (pod) =>
        pod.metadata.labels?.[AGENT_LABEL] === agentUid &&
        pod.metadata.deletionTimestamp === undefined &&
        podState(pod).type !== 'ended',
    )
    return live as unknown as readonly JsonObject[]
  }

  /** A look that no target asked for. */
  async look(agentUid: string): Promise<void> {
    const { serial, targets, changed, context } = this.#fleet
    if (!this.#isOpen) return
    try {
      await serial.run(agentUid, async () => {
        const target = targets.get(agentUid)
        if (target?.pod === undefined || !this.#isOpen) return
        const before = this.#memory.known(agentUid)?.obstacle?.message
        await this.#converge(target)
        if (before !== this.#memory.known(agentUid)?.obstacle?.message)
          changed({ namespace: target.namespace, agent: target.name })
      })
    } catch (error) {
      context.log.warn(
        { err: error, agent_uid: agentUid },
        'could not look after the pods of an agent; it is tried again',
      )
      this.#lookAgain(agentUid, this.#now() + context.settings.retryMs)
    }
  }

  #podChanged(pod: SeenPod | null): void {
    if (!this.#isOpen) return
    const { seen, sweeper } = this.#parts!
    for (const one of pod === null ? seen.all() : [pod]) void sweeper.look(one)
    const uids = pod === null ? this.#holding : [pod.metadata.labels?.[AGENT_LABEL] ?? '']
    for (const uid of uids) {
      void this.look(uid)
      // Its source may judge it by its pods.
      const target = this.#fleet.targets.get(uid)
      if (target?.pod !== undefined) this.#fleet.changed({ namespace: target.namespace, agent: target.name })
    }
  }

  async #converge(target: AgentTarget): Promise<AgentObservation> {
    const { settings } = this.#fleet.context
    const memory = this.#memory.of(target.uid)
    if (!this.#isOpen) return this.#summary(target)
    await this.#parts?.seen.start()
    memory.obstacle = this.#parts === null ? NOWHERE : this.#parts.seen.trouble()
    const times: (number | null)[] = []
    if (this.#parts !== null && memory.obstacle === null) times.push(...(await this.#act(this.#parts, target)))
    this.#lookAgain(target.uid, ...times, memory.obstacle === null ? null : this.#now() + settings.retryMs)
    const summary = await this.#summary(target)
    if (summary.gone) this.#holding.delete(target.uid)
    if (summary.gone && target.deleting) await this.#forget(target)
    return summary
  }

  /** Makes it so as far as that goes at this moment, and answers when to look again. */
  async #act(parts: PodParts, target: AgentTarget): Promise<(number | null)[]> {
    const memory = this.#memory.of(target.uid)
    let times: (number | null)[] = []
    for (let round = 1; round <= ROUNDS && this.#isOpen && memory.obstacle === null; round++) {
      const { standing, live, problem, limits } = await this.#find(parts, target)
      const endings = standing.endings.map(endingOfRow)
      const decision = decideInstances(target, live, endings, this.#now(), this.#fleet.observedSince)
      memory.held = decision.held
      times = [decision.nextAt, ...limits]
      if (problem !== null) memory.obstacle = obstacleOf(problem)
      const obstacle = await this.#carryOut(parts, target, decision.actions)
      if (obstacle !== null) memory.obstacle = obstacle
      if (decision.actions.length === 0) break
    }
    if (memory.obstacle === null && target.spec.runtime.process.mode === 'perTask')
      memory.obstacle = await this.#startTasks(parts, target)
    return times
  }

  /** How its pods stand, after the ends of those that have ended were recorded. */
  async #find(parts: PodParts, target: AgentTarget): Promise<Found> {
    const look = () => this.#ledger.look(target.uid, target.spec.replicas)
    let standing: Standing = await look()
    const live: LiveInstance[] = []
    const limits: (number | null)[] = []
    let problem: PodProblem | null = null
    let hasEnded = false
    for (const row of standing.live) {
      const isOurs = row.host === podHost(parts.seen.api.namespace)
      const task = standing.tasks.find(({ instance_id }) => instance_id === row.id) ?? null
      const found = isOurs && !parts.starting.has(row.id) ? await lookAtPod(parts, row, task) : 'elsewhere'
      if (isOurs) this.#holding.add(row.agent_uid)
      if (found === 'ended') hasEnded = true
      else {
        if (found !== 'elsewhere') {
          problem ??= found.problem
          if (row.mode === 'perTask') limits.push(await limitTaskPod(parts, target, { row, task, look: found }))
        }
        live.push(this.#liveOf(row, found, standing))
      }
    }
    if (hasEnded) standing = await look()
    return { standing, live, problem, limits }
  }

  #liveOf(row: InstanceRow, found: Exclude<PodLook, 'ended'> | 'elsewhere', { tasks }: Standing): LiveInstance {
    const now = this.#now()
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
      stopping: this.#parts?.watched.get(row.id)?.stopping ?? null,
    }
  }

  async #carryOut(parts: PodParts, target: AgentTarget, actions: readonly InstanceAction[]): Promise<Obstacle | null> {
    for (const action of actions) if (action.type !== 'start') await stopPod(parts, target, action)
    for (const action of actions) {
      if (action.type !== 'start' || !this.#isOpen) continue
      const obstacle = await this.#start(parts, target, { mode: 'daemon', ...action })
      if (obstacle !== null && obstacle !== 'nothing') return obstacle
    }
    return null
  }

  /** A pod for each queued task, as far as there are places; otherwise it is fine when one could be started. */
  async #startTasks(parts: PodParts, target: AgentTarget): Promise<Obstacle | null> {
    if (target.suspended || target.terminated || target.deleting) return null
    const supplies = await suppliesOf(this.#fleet, target)
    if ('obstacle' in supplies) return supplies.obstacle
    const { live } = await this.#ledger.look(target.uid, target.spec.replicas)
    const taken = new Set(live.map(({ ordinal }) => ordinal))
    for (let ordinal = 0; ordinal < target.spec.replicas && this.#isOpen; ordinal++) {
      if (taken.has(ordinal)) continue
      const obstacle = await this.#start(parts, target, { mode: 'perTask', ordinal, restartCount: 0, crashCount: 0 })
      if (obstacle === 'nothing') return null
      if (obstacle !== null) return obstacle
    }
    return null
  }

  async #start(
    parts: PodParts,
    target: AgentTarget,
    place: Parameters<typeof startPod>[2],
  ): Promise<Obstacle | 'nothing' | null> {
    if (!this.#ledger.canStart()) return { reason: 'Failed', message: 'the lease could not be renewed in time' }
    this.#holding.add(target.uid)
    const started = await startPod(parts, target, place)
    if (started.type === 'obstacle') return started.obstacle
    return started.type === 'nothing' ? 'nothing' : null
  }

  async #summary(target: AgentTarget): Promise<AgentObservation> {
    const { live, tasks } = await this.#ledger.look(target.uid, target.spec.replicas)
    const working = new Map(tasks.map((task) => [task.instance_id, task.task_id]))
    const memory = this.#memory.known(target.uid)
    return summarize({
      target,
      instances: live.map((row) => observedInstance(row, working.get(row.id))),
      held: memory?.held ?? [],
      obstacle: memory?.obstacle ?? null,
      now: this.#now(),
      observedSince: this.#fleet.observedSince,
    })
  }

  #now(): number {
    return this.#fleet.context.clock.now().getTime()
  }

  #lookAgain(agentUid: string, ...times: (number | null)[]): void {
    if (this.#isOpen) this.#memory.lookAgain(agentUid, this.#now(), times)
  }

  async #forget({ uid }: AgentTarget): Promise<void> {
    this.#memory.forget(uid)
    this.#fleet.targets.delete(uid)
    if (this.#parts?.seen.trouble() === null) await this.#parts.sweeper.lookAtAll(uid)
  }
}

function obstacleOf({ kind, message }: PodProblem): Obstacle {
  return { reason: kind === 'room' ? 'NoHost' : 'Failed', message: `its pod waits: ${message}` }
}
