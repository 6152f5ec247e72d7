import { setImmediate as turn } from 'node:timers/promises'

/** What one batch carries. */
const MOST = 500

/** Writes a batch; answers every one of them by itself, and never rejects. */
type Write<Entry> = (entries: readonly Entry[]) => Promise<void>

/** Group commit: one batch is under way, never two, and without a timer; what comes meanwhile goes together in the next. */
export class Lane<Entry> {
  readonly #write: Write<Entry>
  #queue: Entry[] = []
  #flushing: Promise<void> | null = null

  constructor(write: Write<Entry>) {
    this.#write = write
  }

  add(entry: Entry): void {
    this.#queue.push(entry)
    this.#flushing ??= this.#flush()
  }

  async settled(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing
  }

  async #flush(): Promise<void> {
    // What has come in one turn of the event loop goes into one batch.
    await turn()
    while (this.#queue.length > 0) await this.#write(this.#queue.splice(0, MOST))
    this.#flushing = null
  }
}
