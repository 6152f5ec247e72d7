import type { Log } from '../store/ports.ts'

/** Parts that were started, stopped in reverse order; one that fails to stop does not keep the others running. */
export class Shutdown {
  readonly #log: Log
  readonly #parts: { readonly name: string; readonly stop: () => Promise<unknown> }[] = []
  #running: Promise<void> | null = null

  constructor(log: Log) {
    this.#log = log
  }

  add(name: string, stop: () => Promise<unknown>): void {
    this.#parts.push({ name, stop })
  }

  run(): Promise<void> {
    this.#running ??= this.#stopAll()
    return this.#running
  }

  async #stopAll(): Promise<void> {
    for (const { name, stop } of this.#parts.toReversed()) {
      try {
        await stop()
      } catch (error) {
        this.#log.error({ part: name, err: error }, 'a part could not be stopped cleanly')
      }
    }
  }
}
