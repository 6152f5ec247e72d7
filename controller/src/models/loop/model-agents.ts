import { setTimeout as delay } from 'node:timers/promises'
import { appendEvents } from '../../store/log.ts'
import {
  beginLoop,
  countOpenLoops,
  type ModelLoopRow,
  releaseLoops,
  takeFreeLoops,
} from '../../store/queries/model-loops.ts'
import { lockTasksOf } from '../../store/queries/task-allowance.ts'
import { agentsWithQueuedTasks, nextQueuedTask } from '../../store/queries/tasks.ts'
import { transact } from '../../store/transact.ts'
import type { LoopDeps, ModelAgent } from './ports.ts'
import { runLoop } from './run-loop.ts'

/** Between two looks while something is queued, and else: who queues a task says so. */
const SOON_MS = 1_000
const LATER_MS = 15_000
const RETRY_MS = 2_000
const FREE_BATCH = 100

/**
 * Turns the loops of agents that are models, in this process: takes queued tasks as far as each agent has room, and loops whose
 * process went away. A loop belongs to one process at a time; one whose lease is lost writes nothing any more.
 */
export class ModelAgents {
  readonly #deps: LoopDeps
  readonly #running = new Map<string, Promise<void>>()
  readonly #stopping = new AbortController()
  #woken = Promise.withResolvers<void>()
  #working: Promise<void> = Promise.resolve()

  constructor(deps: LoopDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#deps.store.writer.onTakeOver(() => this.wake())
    this.#working = this.#work()
  }

  /** A task was queued, an agent changed, or a process went away. */
  wake(): void {
    this.#woken.resolve()
  }

  /** Waits a little for turns that are under way; then others go on with what is left. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new Error('the process stops'))
    this.wake()
    await this.#working
    await Promise.race([Promise.all(this.#running.values()), delay(graceMs, undefined, { ref: false })])
    const { store } = this.#deps
    if (!store.writer.isLost)
      await transact(store, (tx) => releaseLoops(tx, store.writer.id)).catch((error: unknown) =>
        store.log.warn({ err: error }, 'loops could not be given back; they are free when the lease is over'),
      )
  }

  async #work(): Promise<void> {
    const { store } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#woken = Promise.withResolvers<void>()
      let pause = LATER_MS
      try {
        if (this.#deps.hasAgents() && store.writer.canStartEffects()) {
          await this.#takeOver()
          pause = (await this.#takeQueued()) ? SOON_MS : LATER_MS
        }
      } catch (error) {
        store.log.warn({ err: error }, 'tasks of agents that are models could not be taken; it is tried again')
        pause = SOON_MS
      }
      const waiting = new AbortController()
      const timer = delay(pause, undefined, { signal: waiting.signal, ref: false }).catch(() => undefined)
      await Promise.race([timer, this.#woken.promise])
      waiting.abort()
    }
  }

  async #takeOver(): Promise<void> {
    const { store } = this.#deps
    const free = await transact(store, (tx) => takeFreeLoops(tx, store.writer.id, FREE_BATCH))
    for (const loop of free) this.#run(loop)
  }

  /** True while something is left in a queue. */
  async #takeQueued(): Promise<boolean> {
    const { store, agent } = this.#deps
    let left = false
    for (const { namespace, agent: name } of await agentsWithQueuedTasks(store.engine)) {
      const target = agent(namespace, name)
      if (target === null) continue
      left = true
      while (!this.#stopping.signal.aborted) {
        const loop = target.suspended ? null : await this.#claim(target)
        if (loop === null) break
        this.#run(loop)
      }
    }
    return left
  }

  async #claim(agent: ModelAgent): Promise<ModelLoopRow | null> {
    const { store, allowance, leasedEvent } = this.#deps
    return transact(store, async (tx) => {
      const now = store.clock.now()
      await lockTasksOf(tx, agent)
      if ((await countOpenLoops(tx, agent)) >= agent.replicas) return null
      if ((await allowance(tx, agent, 1, now)) === 0) return null
      const task = await nextQueuedTask(tx, agent, now, false)
      if (task === null) return null
      const { task_id, attempt, namespace, agent: name } = task
      const loop = { task_id, attempt, namespace, agent: name, started_at: now }
      await beginLoop(tx, loop, store.writer.id)
      await appendEvents(tx, store, [leasedEvent(task, now)])
      return loop
    })
  }

  #run(loop: ModelLoopRow): void {
    const key = `${loop.task_id}/${loop.attempt}`
    if (this.#running.has(key)) return
    const running = this.#turn(loop).finally(() => {
      this.#running.delete(key)
      this.wake()
    })
    this.#running.set(key, running)
  }

  async #turn(loop: ModelLoopRow): Promise<void> {
    const { store } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted && !store.writer.isLost) {
      try {
        await runLoop(this.#deps, loop, signal)
        return
      } catch (error) {
        if (signal.aborted || store.writer.isLost) return
        store.log.warn({ err: error, task: loop.task_id }, 'the loop of a model broke off; it goes on where it was')
        await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined)
      }
    }
  }
}
