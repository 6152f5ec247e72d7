/** What became of an event that came. */
type Standing = 'working' | 'done'

/** The events that came before, by id, the newest ten thousand: the same may come by the stream, by its replay and by polling. */
export class Seen {
  readonly #standing = new Map<string, Standing>()
  readonly #most: number

  constructor(most = 10_000) {
    this.#most = most
  }

  of(id: string): Standing | null {
    return this.#standing.get(id) ?? null
  }

  set(id: string, standing: Standing): void {
    this.#standing.delete(id)
    this.#standing.set(id, standing)
    if (this.#standing.size > this.#most) this.#standing.delete(this.#standing.keys().next().value!)
  }

  /** It failed: when it comes again, it is new. */
  forget(id: string): void {
    this.#standing.delete(id)
  }
}
