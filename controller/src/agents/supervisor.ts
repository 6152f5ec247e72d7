import type { InstanceRow } from '../store/queries/instances.ts'
import { adopt, findProcess } from './adopt.ts'
import { type AgentTarget, ordinalsOf } from './agent-target.ts'
import { decideInstances, type Held, type InstanceAction } from './decide-instances.ts'
import { endingOf, recordDaemonEnd, releaseProcess } from './end-instance.ts'
import type { StopReason } from './end-reasons.ts'
import type { HostFleet } from './fleet.ts'
import { endingOfRow, liveOf, observedInstance } from './instance-views.ts'
import type { Standing } from './ledger.ts'
import { type AgentObservation, type Hindrance, type Obstacle, summarize } from './observation.ts'
import { type Process, signal } from './process-table.ts'
import { isObstacle, provide, roomObstacle } from './start-conditions.ts'
import { recordStart, startDaemon } from './start-instance.ts'

/** What the supervisor remembers of an agent between two looks. */
interface Memory {
  held: readonly Held[]
  obstacle: Obstacle | null
  timer: NodeJS.Timeout | undefined
}

/** A timer longer than this would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** Actions may make others due at once (a replica that ended makes room for its successor); more rounds than this wait for the next look. */
const ROUNDS = 4

/**
 * Keeps the processes of agents equal to what is wanted. Level-triggered: every look reads the rows, decides from them
 * alone and acts; calling again changes nothing. It looks when it is told a target, when a process ends, and when time
 * makes something due.
 */
export class Supervisor {
  readonly #fleet: HostFleet
  readonly #memory = new Map<string, Memory>()
  /** Takes over, or finishes, a command that a former controller left. */
  readonly #recoverCommand: (row: InstanceRow) => Promise<void>

  constructor(fleet: HostFleet, recoverCommand: (row: InstanceRow) => Promise<void>) {
    this.#fleet = fleet
    this.#recoverCommand = recoverCommand
  }

  /** Makes it so, as far as that goes at this moment, and says how it stands. */
  ensure(target: AgentTarget): Promise<AgentObservation> {
    this.#fleet.targets.set(target.uid, target)
    return this.#fleet.serial.run(target.uid, () => {
      // A look before this one may have found the agent gone and forgotten it.
      this.#fleet.targets.set(target.uid, target)
      return this.#converge(target.uid)
    })
  }

  /** How it stands, without doing anything; null for an agent nobody has wanted from this controller. */
  async observe(agentUid: string): Promise<AgentObservation | null> {
    const target = this.#fleet.targets.get(agentUid)
    return target === undefined ? null : this.#summary(target)
  }

  /** A process of a daemon has ended. */
  processEnded(process: Process): Promise<void> {
    return this.#fleet.serial.run(process.agentUid, async () => {
      if (this.#fleet.processes.get(process.instanceId) !== process) return
      await recordDaemonEnd(this.#fleet, endingOf(process))
      if (this.#fleet.targets.has(process.agentUid)) await this.#converge(process.agentUid)
    })
  }

  /** Stops looking by itself. */
  close(): void {
    for (const { timer } of this.#memory.values()) clearTimeout(timer)
    this.#memory.clear()
  }

  async #converge(agentUid: string): Promise<AgentObservation> {
    const fleet = this.#fleet
    const target = fleet.targets.get(agentUid)!
    const memory = this.#remembered(agentUid)
    let nextAt: number | null = null
    memory.obstacle = null
    for (let round = 1; round <= ROUNDS && !fleet.closing; round++) {
      const standing = await this.#standing(target)
      const { endings } = standing
      const now = fleet.context.clock.now().getTime()
      const live = liveOf(fleet, standing.live, standing.tasks)
      const decision = decideInstances(target, live, endings.map(endingOfRow), now, fleet.observedSince)
      memory.held = decision.held
      nextAt = decision.nextAt
      if (decision.actions.length === 0) break
      memory.obstacle = await this.#act(target, decision.actions)
      if (memory.obstacle !== null) break
    }
    if (target.spec.runtime.process.mode === 'perTask') memory.obstacle = await this.#commandObstacle(target)
    this.#lookAgain(agentUid, memory, nextAt)
    const summary = await this.#summary(target)
    if (target.deleting && summary.gone) await this.#forget(target)
    return summary
  }

  /** How its processes stand; what a former controller left is taken over or finished first. */
  async #standing(target: AgentTarget): Promise<Standing> {
    const fleet = this.#fleet
    const look = () => fleet.ledger.look(target.uid, target.spec.replicas)
    const standing = await look()
    const strays = standing.live.filter((row) => this.#isStray(row))
    for (const row of strays) await this.recover(row)
    for (const row of standing.live) {
      const process = fleet.processes.get(row.id)
      if (row.pid === null && process?.mode === 'daemon') await recordStart(fleet, process)
    }
    return strays.length === 0 ? standing : look()
  }

  #isStray(row: InstanceRow): boolean {
    const { processes, starting, context } = this.#fleet
    return row.host === context.localHost().name && processes.get(row.id) === undefined && !starting.has(row.id)
  }

  /** Adopts the process of a row nobody watches, or records how it ended. */
  async recover(row: InstanceRow): Promise<void> {
    if (row.mode === 'perTask') return this.#recoverCommand(row)
    const fleet = this.#fleet
    const found = findProcess(row, fleet.workspaces.instanceFolder(row.id))
    if (found.type === 'alive') {
      await adopt(fleet, row, found.identity, null)
      return
    }
    await recordDaemonEnd(fleet, {
      instanceId: row.id,
      agentUid: row.agent_uid,
      namespace: row.namespace,
      agent: row.agent,
      pid: row.pid,
      exitCode: found.exitCode,
      reason: row.state === 'stopping' ? 'stopped' : found.reason,
    })
  }

  async #act(target: AgentTarget, actions: readonly InstanceAction[]): Promise<Obstacle | null> {
    const starts = actions.filter((action) => action.type === 'start')
    for (const action of actions) {
      if (action.type === 'start') continue
      const process = this.#fleet.processes.get(action.id)
      // Another host's, or about to be recovered.
      if (process !== undefined) await this.#end(process, action)
    }
    if (starts.length === 0 || this.#fleet.closing) return null
    if (!this.#fleet.ledger.canStart()) return { reason: 'Failed', message: 'the lease could not be renewed in time' }
    const provisions = await provide(this.#fleet, target)
    if (isObstacle(provisions)) return provisions
    for (const start of starts) {
      const obstacle = await startDaemon(this.#fleet, target, provisions, start)
      if (obstacle !== null) return obstacle
    }
    return null
  }

  async #end(process: Process, action: Exclude<InstanceAction, { type: 'start' }>): Promise<void> {
    const now = this.#fleet.context.clock.now().getTime()
    switch (action.type) {
      case 'drain':
        await this.#drain(process, action.reason)
        return
      case 'terminate':
        process.stopping = { ...process.stopping!, terminatedAt: now }
        signal(process, 'SIGTERM')
        return
      case 'kill':
        if (action.reason === 'heartbeat') process.verdict = 'heartbeat'
        else process.stopping = { ...process.stopping!, killed: true }
        signal(process, 'SIGKILL')
        return
      case 'release':
        await releaseProcess(this.#fleet, process)
    }
  }

  async #drain(process: Process, reason: StopReason): Promise<void> {
    await this.#fleet.ledger.draining(process.instanceId, reason)
    process.stopping = { reason, since: this.#fleet.context.clock.now().getTime(), terminatedAt: null, killed: false }
  }

  /** A perTask agent is fine when a command could be started now, or runs. */
  async #commandObstacle(target: AgentTarget): Promise<Obstacle | null> {
    if (target.deleting || target.suspended || ordinalsOf(target).length === 0 || this.#fleet.closing) return null
    const provisions = await provide(this.#fleet, target)
    if (isObstacle(provisions)) return provisions
    return this.#fleet.processes.commandsOf(target.uid).length > 0 ? null : roomObstacle(this.#fleet, target)
  }

  /** What the last look found that keeps replicas of an agent from running here. */
  hindrance(agentUid: string): Hindrance {
    const memory = this.#memory.get(agentUid)
    return { held: memory?.held ?? [], obstacle: memory?.obstacle ?? null }
  }

  #lookAgain(agentUid: string, memory: Memory, nextAt: number | null): void {
    clearTimeout(memory.timer)
    const { clock, settings } = this.#fleet.context
    const now = clock.now().getTime()
    const times = [nextAt, memory.obstacle === null ? null : now + settings.retryMs].filter((time) => time !== null)
    if (times.length === 0 || this.#fleet.closing) return
    const delay = Math.min(Math.max(Math.min(...times) - now, 1), LONGEST_TIMER_MS)
    memory.timer = setTimeout(() => void this.look(agentUid), delay)
    memory.timer.unref()
  }

  /** A look that no target asked for: it tells when it found something else than before. */
  async look(agentUid: string): Promise<void> {
    const { serial, targets, context, changed, closing } = this.#fleet
    if (closing) return
    try {
      await serial.run(agentUid, async () => {
        const target = targets.get(agentUid)
        if (target === undefined) return
        const before = this.#memory.get(agentUid)?.obstacle ?? null
        await this.#converge(agentUid)
        const after = this.#memory.get(agentUid)?.obstacle ?? null
        if (before?.message !== after?.message) changed({ namespace: target.namespace, agent: target.name })
      })
    } catch (error) {
      context.log.warn({ err: error, agent_uid: agentUid }, 'could not look after an agent; it is tried again')
      const memory = this.#remembered(agentUid)
      this.#lookAgain(agentUid, memory, context.clock.now().getTime() + context.settings.retryMs)
    }
  }

  async #forget(target: AgentTarget): Promise<void> {
    clearTimeout(this.#memory.get(target.uid)?.timer)
    this.#memory.delete(target.uid)
    this.#fleet.targets.delete(target.uid)
    if (target.spec.deletionPolicy !== 'Orphan') await this.#fleet.workspaces.removeAgent(target.uid)
  }

  async #summary(target: AgentTarget): Promise<AgentObservation> {
    const fleet = this.#fleet
    const standing = await fleet.ledger.look(target.uid, target.spec.replicas)
    const tasks = new Map(standing.tasks.map((task) => [task.instance_id, task.task_id]))
    const memory = this.#memory.get(target.uid)
    const elsewhere = await fleet.elsewhere(target.uid)
    return summarize({
      target,
      instances: standing.live.map((row) => observedInstance(row, tasks.get(row.id))),
      held: [...(memory?.held ?? []), ...elsewhere.held],
      obstacle: memory?.obstacle ?? elsewhere.obstacle,
      now: fleet.context.clock.now().getTime(),
      observedSince: fleet.observedSince,
    })
  }

  #remembered(agentUid: string): Memory {
    const known = this.#memory.get(agentUid)
    if (known !== undefined) return known
    const memory: Memory = { held: [], obstacle: null, timer: undefined }
    this.#memory.set(agentUid, memory)
    return memory
  }
}
