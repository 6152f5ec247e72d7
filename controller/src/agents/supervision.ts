import { setTimeout as delay } from 'node:timers/promises'
import type { AgentTarget } from './agent-target.ts'
import { endLost } from './end-lost.ts'
import type { HostFleet } from './fleet.ts'
import { tidy } from './housekeeping.ts'
import { cutLogs } from './logs.ts'
import type { AgentObservation, Hindrance } from './observation.ts'
import { type Process, ProcessTable, signal } from './process-table.ts'
import { Supervisor } from './supervisor.ts'
import { TaskRunner } from './task-runner.ts'

const LOGS_EVERY_MS = 10_000
const TIDY_EVERY_MS = 3_600_000
/** Between two ticks more than this has passed only when the machine, or this process, stood still. */
const STOOD_STILL_MS = 15_000
/** While no task is open, every so many ticks the queue is looked at: whoever queues one says so. */
const IDLE_TICKS = 5
/** How long KILL may take to show. */
const KILL_MS = 2_000

export interface SupervisionParts {
  /** Makes the fleet around the process table and the looks of this supervision. */
  readonly fleet: (parts: { readonly processes: ProcessTable; readonly look: (agentUid: string) => void }) => HostFleet
  /** Done with every look at tasks, while there are open ones. */
  readonly sweep: () => Promise<void>
  /** The machine, or this process, stood still for a while. */
  readonly stoodStill: () => void
}

/**
 * The processes of agents on one machine: started, watched, ended, and their commands given tasks. `start` first takes over
 * what a former process left; `stopAll` or `abandon` ends it. What it records goes through the fleet's ledger, so it is the
 * same next to the database and on a joined host.
 */
export class Supervision {
  readonly #parts: SupervisionParts
  readonly #fleet: HostFleet
  readonly #supervisor: Supervisor
  readonly #runner: TaskRunner
  #timer: NodeJS.Timeout | undefined
  #ticking: Promise<void> = Promise.resolve()
  #stopped = false
  #lastTick: number
  #logsAt = 0
  #tidyAt = 0
  /** When the queue is looked at again although nobody told of a task. */
  #tasksAt = 0

  constructor(parts: SupervisionParts) {
    this.#parts = parts
    const processes = new ProcessTable((process) => void this.#ended(process))
    this.#fleet = parts.fleet({ processes, look: (agentUid) => void this.#supervisor.look(agentUid) })
    this.#runner = new TaskRunner(this.#fleet)
    this.#supervisor = new Supervisor(this.#fleet, (row) => this.#runner.recover(row))
    this.#fleet.notifier.onTask(() => {
      this.#tasksAt = 0
    })
    this.#lastTick = this.#fleet.context.clock.monotonicMs()
  }

  get fleet(): HostFleet {
    return this.#fleet
  }

  /**
   * From here on this process supervises: it adopts living processes of this host's rows, records the ends of the others,
   * and ends what was given up as lost while it lived on.
   */
  async start(): Promise<void> {
    const { targets, ledger, serial } = this.#fleet
    targets.clear()
    this.#fleet.supervising = true
    await endLost(this.#fleet)
    for (const row of await ledger.living()) await serial.run(row.agent_uid, () => this.#supervisor.recover(row))
    this.#schedule()
  }

  /** Makes an agent what is wanted, as far as that goes at once, and says how it stands. Call it as often as you like. */
  async ensure(target: AgentTarget): Promise<AgentObservation> {
    const observation = await this.#supervisor.ensure(target)
    this.#runner.wake(target.uid)
    return observation
  }

  observe(agentUid: string): Promise<AgentObservation | null> {
    return this.#supervisor.observe(agentUid)
  }

  /** What keeps replicas of an agent from running here, as far as the last look knows. */
  hindrance(agentUid: string): Hindrance {
    return this.#supervisor.hindrance(agentUid)
  }

  /** Nobody waits for the task of that step any more, and that is committed: its command ends now. */
  taskCancelled(stepId: string): void {
    this.#runner.cancelled(stepId)
  }

  /** TERM to everything, KILL to what is left after `graceMs`, and every end recorded. Tasks go back to the queue. */
  async stopAll(options: { readonly graceMs: number }): Promise<void> {
    await this.#quiesce()
    const { processes, context } = this.#fleet
    for (const process of processes.all()) {
      const now = context.clock.now().getTime()
      process.stopping ??= { reason: 'shutdown', since: now, terminatedAt: null, killed: false }
      process.stopping = { ...process.stopping, terminatedAt: now }
      signal(process, 'SIGTERM')
    }
    await this.#emptied(options.graceMs)
    for (const process of processes.all()) signal(process, 'SIGKILL')
    await this.#emptied(KILL_MS)
    for (const { instanceId, agent, namespace } of processes.all()) {
      context.log.warn({ instance: instanceId, agent, namespace }, 'the end of an agent process could not be recorded')
    }
    await this.abandon()
  }

  /** Stops watching and leaves every process as it is; the next one to supervise adopts it. */
  async abandon(): Promise<void> {
    await this.#quiesce()
    this.#fleet.processes.clear()
    await this.#fleet.serial.idle()
  }

  async #quiesce(): Promise<void> {
    this.#stopped = true
    this.#fleet.closing = true
    clearTimeout(this.#timer)
    this.#supervisor.close()
    await this.#ticking
    await this.#runner.idle()
    await this.#fleet.serial.idle()
  }

  async #emptied(ms: number): Promise<void> {
    const { processes, context } = this.#fleet
    const until = context.clock.monotonicMs() + ms
    while (processes.size > 0 && context.clock.monotonicMs() < until) {
      processes.poll()
      await delay(20)
    }
  }

  /** Recording fails when the ledger is away: the next tick finds the process ended again. */
  async #ended(process: Process): Promise<void> {
    try {
      await (process.mode === 'daemon' ? this.#supervisor.processEnded(process) : this.#runner.processEnded(process))
    } catch (error) {
      const { agent, namespace, instanceId } = process
      this.#fleet.context.log.warn(
        { err: error, agent, namespace, instance: instanceId },
        'could not record the end of an agent process; it is tried again',
      )
    }
  }

  async #lookAfterTasks(now: number): Promise<void> {
    const { settings } = this.#fleet.context
    const runsCommands = this.#fleet.processes.all().some(({ mode }) => mode === 'perTask')
    if (now < this.#tasksAt && !runsCommands) return
    const open = await this.#runner.tick()
    this.#tasksAt = open ? 0 : now + IDLE_TICKS * settings.tickMs
    if (open || runsCommands) await this.#parts.sweep()
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#ticking = this.#tick().finally(() => this.#schedule())
    }, this.#fleet.context.settings.tickMs)
    this.#timer.unref()
  }

  async #tick(): Promise<void> {
    const { clock, log, settings } = this.#fleet.context
    const now = clock.monotonicMs()
    if (now - this.#lastTick > STOOD_STILL_MS + settings.tickMs) this.#parts.stoodStill()
    this.#lastTick = now
    try {
      this.#fleet.processes.poll()
      await this.#lookAfterTasks(now)
      if (now - this.#logsAt >= LOGS_EVERY_MS) {
        this.#logsAt = now
        cutLogs(this.#fleet)
      }
      if (now - this.#tidyAt >= TIDY_EVERY_MS) {
        this.#tidyAt = now
        await tidy(this.#fleet)
      }
    } catch (error) {
      log.warn({ err: error }, 'could not look after agents; it is tried again')
    }
  }
}
