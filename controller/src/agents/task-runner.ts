import { join } from 'node:path'
import { sizeOf } from '../lib/programs/log-file.ts'
import type { InstanceRow } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import { adopt, findProcess } from './adopt.ts'
import { type AgentTarget, ordinalsOf } from './agent-target.ts'
import { recordCommandEnd } from './end-command.ts'
import { type HostFleet, targetNamed } from './fleet.ts'
import { type Process, signal } from './process-table.ts'
import { isObstacle, type Provisions, provide } from './start-conditions.ts'
import { type Candidate, candidate, spawnFor, watch } from './start-instance.ts'
import { isBulk, messageOf, stdinOf } from './task-command.ts'

/**
 * Runs the tasks of perTask agents: one command a task, as many at once as the agent has replicas. The claim (task and
 * row) is committed before the command starts, its result is read from files after it ended; so the next controller
 * finishes what this one began, and no task runs twice at the same time.
 */
export class TaskRunner {
  readonly #fleet: HostFleet
  /** Commands whose end is being recorded at this moment. */
  readonly #ending = new Set<string>()
  readonly #pumping = new Map<string, Promise<void>>()
  readonly #again = new Set<string>()

  constructor(fleet: HostFleet) {
    this.#fleet = fleet
    fleet.notifier.onTask((namespace, name) => {
      const target = targetNamed(fleet, namespace, name)
      if (target !== null) this.wake(target.uid)
    })
  }

  /** Starts what an agent has queued, as far as there is room; asked again meanwhile, it looks once more. */
  wake(agentUid: string): void {
    if (this.#pumping.has(agentUid)) {
      this.#again.add(agentUid)
      return
    }
    const pumping = this.#pump(agentUid)
      .catch((error: unknown) =>
        this.#fleet.context.log.warn({ err: error, agent_uid: agentUid }, 'could not start a task; it is tried again'),
      )
      .finally(() => {
        this.#pumping.delete(agentUid)
        if (this.#again.delete(agentUid)) this.wake(agentUid)
      })
    this.#pumping.set(agentUid, pumping)
  }

  async #pump(agentUid: string): Promise<void> {
    for (;;) {
      const target = this.#fleet.targets.get(agentUid)
      if (target === undefined || !mayStart(this.#fleet, target)) return
      const ordinal = freeOrdinal(this.#fleet, target)
      if (ordinal === null) return
      const provisions = await provide(this.#fleet, target)
      if (isObstacle(provisions)) return
      if (!(await this.#startNext(target, provisions, ordinal))) return
    }
  }

  /** False when there was nothing to start, or no room for it: looking again at once would change nothing. */
  async #startNext(target: AgentTarget, provisions: Provisions, ordinal: number): Promise<boolean> {
    const fleet = this.#fleet
    const next = candidate(fleet, target, { ordinal, mode: 'perTask', restartCount: 0, crashCount: 0 })
    fleet.starting.add(next.row.id)
    try {
      const { name, slots } = fleet.context.localHost()
      // With the agent's other work, so that a task which was queued after the agent changed is not run the old way.
      const claim = await fleet.serial.run(target.uid, async () =>
        fleet.targets.get(target.uid) === target
          ? await fleet.placing.run(name, () => fleet.ledger.claim(next.row, slots))
          : null,
      )
      if (claim === null) return true
      if (claim.type !== 'claimed') return false
      await this.#start(target, provisions, claim.task, next)
      return true
    } finally {
      fleet.starting.delete(next.row.id)
    }
  }

  async #start(target: AgentTarget, provisions: Provisions, task: TaskRow, next: Candidate): Promise<void> {
    const fleet = this.#fleet
    try {
      const folder = await fleet.workspaces.makeTaskFolder(target.uid, task)
      const message = messageOf(task, folder, target.spec)
      const stdin = stdinOf(message, target.spec.runtime.process.stdin)
      const spawned = await spawnFor(fleet, target, provisions, next, {
        ...{ cwd: folder, workspace: folder, stdin },
        isBulk: isBulk(task),
      })
      const process = watch(fleet, next.row, spawned, { task, provisions })
      await fleet.ledger.started(process.instanceId, process.identity)
    } catch (error) {
      // Watched means started: then only the note of its pid failed, which its own record holds too.
      if (fleet.processes.get(next.row.id) !== undefined) throw error
      fleet.context.log.error(
        { err: error, task: task.task_id, agent: target.name },
        'could not start the command of a task',
      )
      await recordCommandEnd(fleet, {
        row: next.row,
        task,
        end: { type: 'lost', exitCode: null, reason: 'not_started' },
      })
    }
  }

  /** A command has ended, or is found ended. */
  async processEnded(process: Process): Promise<void> {
    if (this.#ending.has(process.instanceId) || this.#fleet.processes.get(process.instanceId) !== process) return
    this.#ending.add(process.instanceId)
    try {
      signal(process, 'SIGKILL')
      await recordCommandEnd(this.#fleet, { process })
      this.#fleet.processes.remove(process.instanceId)
    } finally {
      this.#ending.delete(process.instanceId)
    }
    this.wake(process.agentUid)
    // An agent that is going away may be gone now, and another may have waited for the room.
    this.#fleet.look(process.agentUid)
  }

  /** Takes over the command of a row nobody watches, or records its result. */
  async recover(row: InstanceRow): Promise<void> {
    const fleet = this.#fleet
    const [task] = await fleet.ledger.tasksOf([row.id])
    const found = findProcess(row, fleet.workspaces.instanceFolder(row.id))
    if (found.type === 'alive') {
      const process = await adopt(fleet, row, found.identity, task ?? null)
      if (task === undefined) endCommand(process, 'cancelled')
      return
    }
    const { exitCode, reason } = found
    await recordCommandEnd(fleet, {
      row: rowAsNew(row),
      task: task ?? null,
      end: { type: exitCode === null ? 'lost' : 'exited', exitCode, reason },
    })
  }

  /**
   * Ends commands that ran out of time, were cancelled or print too much, and starts what is queued. Answers whether any
   * task is open.
   */
  async tick(): Promise<boolean> {
    const { context, processes, ledger } = this.#fleet
    const commands = processes.all().filter(({ mode }) => mode === 'perTask')
    const { open, holding, queued } = await ledger.queue(commands.map(({ instanceId }) => instanceId))
    const leased = new Set(holding)
    const now = context.clock.now().getTime()
    for (const process of commands) this.#watchLimits(process, leased.has(process.instanceId), now)
    if (this.#fleet.closing) return open
    for (const { namespace, agent } of queued) {
      const target = targetNamed(this.#fleet, namespace, agent)
      if (target !== null) this.wake(target.uid)
    }
    return open
  }

  #watchLimits(process: Process, leased: boolean, now: number): void {
    const { maxOutputBytes, killAfterMs } = this.#fleet.context.settings
    if (process.killAt !== null && now >= process.killAt) signal(process, 'SIGKILL')
    if (process.verdict !== null || this.#ending.has(process.instanceId)) return
    const deadline = process.task?.deadline ?? null
    if (sizeOf(join(process.folder, 'out')) > maxOutputBytes) {
      process.verdict = 'output'
      signal(process, 'SIGKILL')
    } else if (!leased) endCommand(process, 'cancelled', now + killAfterMs)
    else if (deadline !== null && now >= deadline.getTime()) endCommand(process, 'timeout', now + killAfterMs)
  }

  /** The task of a step was cancelled. */
  cancelled(stepId: string): void {
    const { context, processes } = this.#fleet
    const killAt = context.clock.now().getTime() + context.settings.killAfterMs
    for (const process of processes.all()) {
      if (process.task?.step_id === stepId && process.verdict === null) endCommand(process, 'cancelled', killAt)
    }
  }

  /** Resolves when nothing is being started. */
  async idle(): Promise<void> {
    while (this.#pumping.size > 0) await Promise.all(this.#pumping.values())
  }
}

/** TERM now, KILL at `killAt` (with none: now). */
function endCommand(process: Process, verdict: 'cancelled' | 'timeout', killAt: number = 0): void {
  process.verdict = verdict
  process.killAt = killAt
  signal(process, 'SIGTERM')
}

function mayStart(fleet: HostFleet, target: AgentTarget): boolean {
  if (!fleet.supervising || fleet.closing) return false
  if (target.suspended || target.terminated || target.deleting) return false
  return target.spec.runtime.process.mode === 'perTask' && fleet.ledger.canStart()
}

function freeOrdinal(fleet: HostFleet, target: AgentTarget): number | null {
  const taken = new Set(fleet.processes.all().flatMap((one) => (one.agentUid === target.uid ? [one.ordinal] : [])))
  return ordinalsOf(target).find((ordinal) => !taken.has(ordinal)) ?? null
}

function rowAsNew(row: InstanceRow) {
  return { id: row.id, agentUid: row.agent_uid, namespace: row.namespace, agent: row.agent }
}
