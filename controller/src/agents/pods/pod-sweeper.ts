import type { Log } from '../../store/ports.ts'
import { instanceById } from '../../store/queries/instances.ts'
import type { Store } from '../../store/store.ts'
import { AGENT_LABEL, TTL_ANNOTATION } from '../runtimes/pod/pod-request.ts'
import { instanceOf, type SeenPod } from '../runtimes/pod/pod-state.ts'
import type { SeenPods } from './seen-pods.ts'

/** A timer longer than this would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Deletes pods whose instance has ended: those of tasks after the time they are to stay, all others at once, also those that were
 * left when the cluster, or this process, was away. Pods of instances this database does not know are somebody else's.
 */
export class PodSweeper {
  readonly #seen: SeenPods
  readonly #store: Store
  readonly #log: Log
  readonly #retryMs: number
  /** When which pod goes, by name; milliseconds since the epoch. */
  readonly #due = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #isOpen = true

  constructor(parts: {
    readonly seen: SeenPods
    readonly store: Store
    readonly log: Log
    readonly retryMs: number
  }) {
    this.#seen = parts.seen
    this.#store = parts.store
    this.#log = parts.log
    this.#retryMs = parts.retryMs
  }

  /** Has it deleted when its time has come; `at` = now, whatever time it was to stay. */
  async look(pod: SeenPod, at: 'now' | 'due' = 'due'): Promise<void> {
    const { name, deletionTimestamp } = pod.metadata
    const id = instanceOf(pod)
    if (id === null) return
    try {
      const row = await instanceById(this.#store.engine, id)
      if (row !== null && row.ended_at === null) return
      this.#seen.forgetEnd(id)
      if (row === null || row.end_reason === 'orphaned' || deletionTimestamp !== undefined) return
      const dueAt = at === 'now' ? 0 : row.ended_at!.getTime() + secondsAfter(pod) * 1000
      if (this.#store.clock.now().getTime() >= dueAt) await this.#seen.api.delete(name, 1)
      else this.#wait(name, dueAt)
    } catch (error) {
      this.#log.warn({ err: error, pod: name }, 'could not delete a pod that has ended; it is tried again')
      this.#wait(name, this.#store.clock.now().getTime() + this.#retryMs)
    }
  }

  /** Nobody will ask for what an agent that goes away has left. */
  async lookAtAll(agentUid: string): Promise<void> {
    for (const pod of this.#seen.all()) if (pod.metadata.labels?.[AGENT_LABEL] === agentUid) await this.look(pod, 'now')
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
  }

  #wait(name: string, at: number): void {
    this.#due.set(name, at)
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (!this.#isOpen || this.#due.size === 0) return
    const inMs = Math.min(...this.#due.values()) - this.#store.clock.now().getTime()
    this.#timer = setTimeout(() => void this.#sweep(), Math.min(Math.max(inMs, 1), LONGEST_TIMER_MS))
    this.#timer.unref()
  }

  async #sweep(): Promise<void> {
    const now = this.#store.clock.now().getTime()
    const pods = new Map(this.#seen.all().map((pod) => [pod.metadata.name, pod]))
    for (const [name, at] of [...this.#due]) {
      if (at > now) continue
      this.#due.delete(name)
      const pod = pods.get(name)
      if (pod !== undefined && this.#isOpen) await this.look(pod)
    }
    this.#schedule()
  }
}

/** How long the pod of a task stays after its end. */
function secondsAfter({ metadata }: SeenPod): number {
  const seconds = Number(metadata.annotations?.[TTL_ANNOTATION] ?? 0)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : 0
}
