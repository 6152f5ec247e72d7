import type { AgentTarget } from '../agent-target.ts'
import { type Fleet, targetNamed } from '../fleet.ts'
import type { Ledger } from '../ledger.ts'

/** While no task of a pod is known, every so many ticks the queue is looked at: whoever queues one says so. */
const IDLE_TICKS = 5

/** Notices that there is something to do about tasks of pods: one was queued, cancelled, or may be given out by now. */
export class PodTasks {
  readonly #fleet: Fleet
  readonly #ledger: Ledger
  readonly #look: (agentUid: string) => void
  #timer: NodeJS.Timeout | undefined
  #unsubscribe = () => {}
  #idleTicks = 0
  #isOpen = false

  constructor(fleet: Fleet, ledger: Ledger, look: (agentUid: string) => void) {
    this.#fleet = fleet
    this.#ledger = ledger
    this.#look = look
  }

  start(): void {
    this.#isOpen = true
    this.#unsubscribe = this.#fleet.notifier.onTask((namespace, name) => this.#lookAt(namespace, name))
    this.#schedule()
  }

  close(): void {
    this.#isOpen = false
    this.#unsubscribe()
    clearTimeout(this.#timer)
  }

  /** Has those looked at whose task is not theirs any more, and those that have something to do. */
  async lookSoon(): Promise<void> {
    try {
      await this.#find()
    } catch (error) {
      this.#fleet.context.log.warn({ err: error }, 'could not look after tasks of pods; it is tried again')
    }
  }

  async #find(): Promise<void> {
    const agents = [...this.#fleet.targets.values()].filter(runsTasksAsPods)
    if (agents.length === 0 || !this.#isOpen) return
    const running = (await this.#ledger.living()).filter(({ mode }) => mode === 'perTask')
    const { holding, queued } = await this.#ledger.queue(running.map(({ id }) => id))
    const held = new Set(holding)
    for (const row of running) if (!held.has(row.id)) this.#look(row.agent_uid)
    for (const { namespace, agent } of queued) this.#lookAt(namespace, agent)
    this.#idleTicks = running.length > 0 || queued.length > 0 ? 0 : IDLE_TICKS
  }

  #lookAt(namespace: string, name: string): void {
    const target = targetNamed(this.#fleet, namespace, name)
    if (target !== null && runsTasksAsPods(target)) this.#look(target.uid)
  }

  #schedule(): void {
    if (!this.#isOpen) return
    this.#timer = setTimeout(() => {
      this.#idleTicks--
      void (this.#idleTicks > 0 ? Promise.resolve() : this.lookSoon()).finally(() => this.#schedule())
    }, this.#fleet.context.settings.tickMs)
    this.#timer.unref()
  }
}

function runsTasksAsPods({ pod, spec }: AgentTarget): boolean {
  return pod !== undefined && spec.runtime.process.mode === 'perTask'
}
