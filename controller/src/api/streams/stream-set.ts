import { fail } from '../../lib/error-catalogue.ts'

/** A place of one open stream in its set. */
export interface StreamPlace {
  leave(): void
  /** Counts the reader as cut off for being slow. */
  dropped(): void
  onServerStop(end: () => void): void
}

/** The open streams of one sort (event streams, watches): counted, limited per principal, ended together at the stop. */
export class StreamSet {
  #open = new Map<StreamPlace, { readonly principal: string; end: (() => void) | null }>()
  #stopped = false
  readonly #limit: number
  readonly #onCount: (open: number) => void
  readonly #onDropped: () => void

  constructor(options: {
    readonly perPrincipal: number
    readonly onCount: (open: number) => void
    readonly onDropped: () => void
  }) {
    this.#limit = options.perPrincipal
    this.#onCount = options.onCount
    this.#onDropped = options.onDropped
  }

  /** Throws SW_NO_CAPACITY over the limit of a principal. */
  enter(principal: string): StreamPlace {
    const own = [...this.#open.values()].filter((entry) => entry.principal === principal).length
    if (own >= this.#limit)
      throw fail('SW_NO_CAPACITY', `${principal} has ${own} open streams, the limit is ${this.#limit}`)
    const place: StreamPlace = {
      leave: () => {
        if (this.#open.delete(place)) this.#onCount(this.#open.size)
      },
      dropped: () => this.#onDropped(),
      onServerStop: (end) => {
        const entry = this.#open.get(place)
        if (entry !== undefined) entry.end = end
        if (this.#stopped) end()
      },
    }
    this.#open.set(place, { principal, end: null })
    this.#onCount(this.#open.size)
    return place
  }

  /** Ends every stream, and every one that is opened from now on. */
  stop(): void {
    this.#stopped = true
    for (const entry of [...this.#open.values()]) entry.end?.()
  }
}
