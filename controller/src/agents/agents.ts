import type { ObjectKey } from '../kinds/resource.ts'
import type { JsonObject } from '../lib/json.ts'
import { agentsThatLive, liveInstancesOfAgent } from '../store/queries/instances.ts'
import type { AgentTarget } from './agent-target.ts'
import type { AgentsContext } from './context.ts'
import { ensureExternal, observeExternal } from './external.ts'
import { type Fleet, makeFleet } from './fleet.ts'
import { LeaseQueue } from './lease-queue.ts'
import type { Ledger } from './ledger.ts'
import type { AgentObservation } from './observation.ts'
import { isPodHost } from './pods/pod-host.ts'
import { PodSupervisor } from './pods/pod-supervisor.ts'
import type { ProcessTable } from './process-table.ts'
import { type SqlLedgerDeps, sqlLedger } from './sql-ledger.ts'
import { Supervision } from './supervision.ts'
import { sweepTasks } from './sweep.ts'
import { TaskNotifier } from './task-notifier.ts'
import { announce } from './tasks.ts'
import { watchHealth } from './watch-health.ts'

type Changing = Pick<AgentObservation, 'instances' | 'commands' | 'replicas' | 'readyReplicas'>
const NOTHING_LIVES: Changing = { instances: [], commands: [], replicas: 0, readyReplicas: 0 }

/**
 * Agents as a process next to the database sees them: it answers those that report here, and once it is told to start, it
 * supervises those of its own machine.
 */
export class Agents {
  readonly fleet: Fleet
  readonly #supervision: Supervision
  readonly #pods: PodSupervisor
  readonly #listeners = new Set<(agent: ObjectKey) => void>()
  #health: NodeJS.Timeout | undefined
  #watching: Promise<void> = Promise.resolve()

  constructor(context: AgentsContext) {
    let fleet: Fleet | null = null
    this.#supervision = new Supervision({
      fleet: (parts) => {
        fleet = this.#makeFleet(context, parts)
        return fleet
      },
      sweep: () => sweepTasks(this.fleet),
      stoodStill: () => this.listening(),
    })
    this.fleet = fleet!
    this.#pods = new PodSupervisor(this.fleet, (host) => this.#ledger(context, host, { changed: () => {} }))
  }

  #makeFleet(
    context: AgentsContext,
    parts: { readonly processes: ProcessTable; readonly look: (agentUid: string) => void },
  ): Fleet {
    const notifier = new TaskNotifier()
    // Whoever supervises says himself what changed.
    const ledger = this.#ledger(context, context.localHost().name, { changed: () => {} })
    const fleet = makeFleet(context, {
      processes: parts.processes,
      notifier,
      ledger,
      changed: (key) => {
        for (const listener of this.#listeners) listener(key as ObjectKey)
      },
      elsewhere: (agentUid) => context.placements.hindrance(agentUid),
      look: (agentUid) => {
        const target = this.fleet.targets.get(agentUid)
        if (this.fleet.supervising && target?.pod !== undefined) void this.#pods.look(agentUid)
        else if (this.fleet.supervising) parts.look(agentUid)
        else if (target !== undefined) this.fleet.changed({ namespace: target.namespace, agent: target.name })
      },
    })
    return { ...fleet, leases: new LeaseQueue(context.store) }
  }

  /** The ledger of another host, whose processes only it can see. */
  ledgerOf(host: string, more: Pick<SqlLedgerDeps, 'guard' | 'mayPlace' | 'bootId'> = {}): Ledger {
    return this.#ledger(this.fleet.context, host, { ...more, changed: (agent) => this.fleet.changed(agent) })
  }

  #ledger(
    { store, settings, isDatabaseHost }: AgentsContext,
    host: string,
    more: Pick<SqlLedgerDeps, 'changed' | 'guard' | 'mayPlace' | 'bootId'>,
  ): Ledger {
    const { maxAttempts } = settings
    return sqlLedger({
      store,
      host,
      maxAttempts,
      takesBulk: isDatabaseHost,
      constraintsOf: (agentUid) => this.fleet.targets.get(agentUid)?.spec.constraints,
      announce: (changes) => announce(this.fleet, changes),
      ...more,
    })
  }

  /** What agents are wanted, in a process that does not supervise them: it tells those that report here. */
  follow(targets: readonly AgentTarget[]): void {
    if (this.fleet.supervising) return
    this.fleet.targets.clear()
    for (const target of targets) this.fleet.targets.set(target.uid, target)
  }

  /** From here on this process supervises the agents of its machine. */
  async start(): Promise<void> {
    await this.#supervision.start()
    await this.#pods.start()
    this.#scheduleHealth()
  }

  #scheduleHealth(): void {
    const { settings, log } = this.fleet.context
    this.#health = setTimeout(() => {
      this.#watching = watchHealth(this.fleet)
        .catch((error: unknown) =>
          log.warn({ err: error }, 'could not look after the health of agents; it is tried again'),
        )
        .finally(() => {
          if (!this.fleet.closing) this.#scheduleHealth()
        })
    }, settings.healthMs)
    this.#health.unref()
  }

  async #endHealth(): Promise<void> {
    clearTimeout(this.#health)
    await this.#watching
    clearTimeout(this.#health)
  }

  /** Makes an agent what is wanted, as far as that goes at once, and says how it stands. Call it as often as you like. */
  async ensure(target: AgentTarget): Promise<AgentObservation> {
    if (target.external === true) return ensureExternal(this.fleet, target)
    const { placements } = this.fleet.context
    if (target.pod !== undefined) return this.#ensurePods(target)
    if (this.#pods.mayHold(target.uid)) {
      // It was pods before: those end first.
      const leaving = await this.#pods.ensure({ ...target, ordinals: [] })
      if (!leaving.gone) return leaving
    }
    const ordinals = await placements.place(target)
    const observation = await this.#supervision.ensure({ ...target, ordinals })
    if (target.deleting && observation.gone) await placements.forget(target.uid)
    return observation
  }

  async #ensurePods(target: AgentTarget): Promise<AgentObservation> {
    const { placements, store } = this.fleet.context
    const rows = await liveInstancesOfAgent(store.engine, target.uid)
    if (rows.some(({ host }) => !isPodHost(host))) {
      // It was processes before: those end first, here and on other hosts.
      await placements.forget(target.uid)
      const leaving = await this.#supervision.ensure({ ...target, ordinals: [] })
      if (!leaving.gone) return leaving
    }
    return this.#pods.ensure(target)
  }

  /** How an agent stands; null when `ensure` was never called for it, or it is gone. */
  observe(agentUid: string): Promise<AgentObservation | null> {
    const target = this.fleet.targets.get(agentUid)
    if (target?.external === true) return observeExternal(this.fleet, target)
    if (target?.pod !== undefined) return this.#pods.observe(target)
    return this.#supervision.observe(agentUid)
  }

  /**
   * What of many agents changes by itself, without those that this process does not know. Of a daemon without a process there is
   * nothing to look up: a list of thousands costs what lives.
   */
  async observeAll(agentUids: readonly string[]): Promise<ReadonlyMap<string, Changing>> {
    const { targets, context } = this.fleet
    const living = await agentsThatLive(context.store.engine)
    const found = new Map<string, Changing>()
    for (const uid of agentUids) {
      const target = targets.get(uid)
      if (target === undefined) continue
      const mayTakeTasks = target.external === true || target.spec.runtime.process.mode === 'perTask'
      const observation = living.has(uid) || mayTakeTasks ? await this.observe(uid) : NOTHING_LIVES
      if (observation !== null) found.set(uid, observation)
    }
    return found
  }

  /** The pods of an agent that live, as the cluster tells of them; empty in a process that does not lead. */
  podsOf(agentUid: string): readonly JsonObject[] {
    return this.#pods.podsOf(agentUid)
  }

  /** Calls back after something about an agent changed by itself: it started, registered, ended. */
  onChange(listener: (agent: ObjectKey) => void): void {
    this.#listeners.add(listener)
  }

  /** A task was queued for that agent, and committed. */
  taskQueued(namespace: string, agent: string): void {
    this.fleet.notifier.notify(namespace, agent)
  }

  /** Nobody waits for the task of that step any more, and that is committed: its command ends now. */
  taskCancelled(stepId: string): void {
    this.#supervision.taskCancelled(stepId)
    this.#pods.taskCancelled()
  }

  /** The API accepts connections: before that nobody could report. */
  listening(): void {
    this.fleet.observedSince = this.fleet.context.clock.now().getTime()
  }

  /**
   * TERM to every process, KILL to what is left after `graceMs`, and every end recorded. Tasks go back to the queue. Pods do not
   * end with the process that watches them: the next one adopts them.
   */
  async stopAll(options: { readonly graceMs: number }): Promise<void> {
    await this.#pods.close()
    await this.#supervision.stopAll(options)
    await this.#endHealth()
  }

  /** Stops watching and leaves every process as it is; the next controller adopts it. */
  async abandon(): Promise<void> {
    await this.#pods.close()
    await this.#supervision.abandon()
    await this.#endHealth()
  }
}
