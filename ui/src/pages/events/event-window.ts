import type { Event } from '../../api/reads.ts'

const BLOCK = 200

/**
 * A view into the log, of which only what was looked at last is held: numbers have no gaps, so any row of 100,000 is found
 * by its number. Blocks of 200 are read when they are wanted; those nobody looks at are let go.
 */
export class EventWindow {
  readonly #read: (before: number, limit: number) => Promise<readonly Event[]>
  readonly #blocks = new Map<number, Map<number, Event>>()
  readonly #reading = new Set<number>()
  readonly #watchers = new Set<() => void>()
  readonly #most: number
  #oldest: number
  #newest: number
  #version = 0
  #failure: unknown = null

  /** `most`: how many blocks are held. `read` gets what is below a number, the newest first. */
  constructor(
    bounds: { readonly oldest: number; readonly newest: number },
    read: (before: number, limit: number) => Promise<readonly Event[]>,
    most = 40,
  ) {
    this.#oldest = bounds.oldest
    this.#newest = bounds.newest
    this.#read = read
    this.#most = most
  }

  /** Moves whenever something changed. */
  get version(): number {
    return this.#version
  }

  get newest(): number {
    return this.#newest
  }

  get oldest(): number {
    return this.#oldest
  }

  /** Why the last read failed; null when it did not. */
  get failure(): unknown {
    return this.#failure
  }

  /** How many events are held. */
  get held(): number {
    return [...this.#blocks.values()].reduce((sum, { size }) => sum + size, 0)
  }

  subscribe(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Undefined while it was not read. */
  get(seq: number): Event | undefined {
    return this.#blocks.get(blockOf(seq))?.get(seq)
  }

  /** An event that has just come. */
  add(event: Event): void {
    const { seq } = event
    if (seq <= this.#newest && this.get(seq) !== undefined) return
    this.#newest = Math.max(this.#newest, seq)
    if (this.#oldest === 0) this.#oldest = seq
    this.#put([event])
    this.#changed()
  }

  /** Sees to it that these numbers are there soon. */
  want(from: number, to: number): void {
    const first = blockOf(Math.max(this.#oldest, from))
    for (let block = blockOf(Math.min(this.#newest, to)); block >= first; block--) {
      const held = this.#blocks.get(block)
      if (held !== undefined) {
        // The one looked at last is the last to be let go.
        this.#blocks.delete(block)
        this.#blocks.set(block, held)
      }
      if (!this.#isWhole(block) && !this.#reading.has(block)) void this.#load(block)
    }
  }

  /** Tries again what could not be read. */
  retry(): void {
    this.#failure = null
    this.#changed()
  }

  #isWhole(block: number): boolean {
    const from = Math.max(this.#oldest, block * BLOCK)
    const to = Math.min(this.#newest, block * BLOCK + BLOCK - 1)
    return (this.#blocks.get(block)?.size ?? 0) >= to - from + 1
  }

  async #load(block: number): Promise<void> {
    if (this.#failure !== null) return
    this.#reading.add(block)
    try {
      const events = await this.#read((block + 1) * BLOCK, BLOCK)
      this.#put(events.filter(({ seq }) => blockOf(seq) === block))
      this.#lost(block, events)
    } catch (error) {
      this.#failure = error
    } finally {
      this.#reading.delete(block)
      this.#letGo()
      this.#changed()
    }
  }

  /** What is not there though it should be was dropped from the log since. */
  #lost(block: number, events: readonly Event[]): void {
    const lowest = Math.min(...events.map(({ seq }) => seq), Number.POSITIVE_INFINITY)
    const expected = Math.max(this.#oldest, block * BLOCK)
    if (lowest > expected) this.#oldest = Math.min(lowest, this.#newest, (block + 1) * BLOCK)
  }

  #put(events: readonly Event[]): void {
    for (const event of events) {
      const block = blockOf(event.seq)
      const held = this.#blocks.get(block)
      if (held === undefined) this.#blocks.set(block, new Map([[event.seq, event]]))
      else held.set(event.seq, event)
    }
    this.#letGo()
  }

  #letGo(): void {
    for (const block of this.#blocks.keys()) {
      if (this.#blocks.size <= this.#most) return
      this.#blocks.delete(block)
    }
  }

  #changed(): void {
    this.#version++
    for (const watcher of this.#watchers) watcher()
  }
}

const blockOf = (seq: number): number => Math.floor(seq / BLOCK)
