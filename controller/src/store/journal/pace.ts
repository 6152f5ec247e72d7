/** How much of what was measured last counts. */
const WEIGHT = 0.2
/** Fewer than these are told together in any case. */
const FEWEST = 8

/**
 * Whether it pays to keep the database busy while this process works out what comes next.
 *
 * When a batch is durable, its runs go on and hand in their next moves. Told all together they make up one next batch,
 * and the database waits for them, then they for it. Told in two halves they take turns: one half is worked out while
 * the other is being written, for the price of twice as many commits. That pays while working out a batch takes longer
 * than what a commit costs besides its rows; with slow commits it does not.
 */
export class Pace {
  #tellMs = 0
  #flightMs = 0

  /** So many entries were told of their commit, and what they did about it at once took that long. */
  told(entries: number, ms: number): void {
    if (entries > 0) this.#tellMs += WEIGHT * (ms / entries - this.#tellMs)
  }

  /** A batch was in flight for that long. */
  flew(ms: number): void {
    this.#flightMs += WEIGHT * (ms - this.#flightMs)
  }

  /** How many of so many entries are told before the next batch is sent. */
  before(entries: number): number {
    if (!this.takesTurns(entries)) return entries
    return Math.ceil(entries / 2)
  }

  /** Whether a batch that waits is sent before so many entries are told. */
  takesTurns(entries: number): boolean {
    return entries >= FEWEST && entries * this.#tellMs > this.#flightMs / 2
  }
}
