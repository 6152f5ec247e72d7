import type { Journal } from '../../store/journal.ts'
import type { Move } from '../move/move.ts'
import type { ValueStore } from '../ports.ts'

/**
 * Moves of one run on their way to the journal, in their order. A move whose events name large values goes when these are
 * kept, and what comes behind it waits for it; every other goes at once.
 */
export class OrderedWrites {
  readonly #journal: Journal
  readonly #values: ValueStore
  /** Settles when the values of the moves before are kept; null = none are being kept. */
  #keeping: Promise<void> | null = null

  constructor(journal: Journal, values: ValueStore) {
    this.#journal = journal
    this.#values = values
  }

  /** Resolves when the move is durable. A value that cannot be kept refuses the move. */
  write(move: Move): Promise<void> {
    const transition = move.toTransition()
    const before = this.#keeping
    if (before === null && move.tell.values.length === 0) return this.#journal.append(transition)
    const kept = this.#keep(move, before)
    this.#keeping = kept
    return kept.then(() => {
      if (this.#keeping === kept) this.#keeping = null
      return this.#journal.append(transition)
    })
  }

  async #keep(move: Move, before: Promise<void> | null): Promise<void> {
    await before
    for (const value of move.tell.values) {
      try {
        await this.#values.keep(value)
      } catch (error) {
        // The step whose end made the move, if any: its effect is not to be lost.
        move.blame ??= value.path
        throw error
      }
    }
  }
}
