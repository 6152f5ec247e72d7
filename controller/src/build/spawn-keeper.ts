import { newCorrelationId } from '../lib/ids.ts'
import { SPAWNED } from '../reconcile/world.ts'
import { spawnedToEnd } from '../store/queries/spawned-agents.ts'
import { endSpawned, type SpawnDeps } from './spawn-agents.ts'

const LOOK_MS = 1000

/** Ends spawned agents whose time has come: their task or time is over, their budget is spent, or their parent is gone. */
export class SpawnKeeper {
  readonly #deps: SpawnDeps
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(deps: SpawnDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        if (!this.#stopped) this.start()
      })
    }, LOOK_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { store, world } = this.#deps
    // While there is none, nobody is asked.
    if (![...world.ofKind('Agent').values()].some(({ source, deleting }) => source === SPAWNED && !deleting)) return
    try {
      for (const row of await spawnedToEnd(store.engine, store.clock.now()))
        await endSpawned(this.#deps, row, row.why, { actor: 'system:controller', correlationId: newCorrelationId() })
    } catch (error) {
      store.log.warn({ err: error }, 'spawned agents could not be looked after; it is tried again')
    }
  }
}
