import { fail } from '../../lib/error-catalogue.ts'

/** A place of one open stream in its set. */
export interface StreamPlace {
  leave(): void
  /** Counts the reader as cut off for being slow. */
  dropped(): void
  onServerStop(end: () => void): void
  /** Another stream took the place. */
  onSuperseded(leave: () => void): void
}

interface Entry {
  readonly principal: string
  readonly only: Exclusive | null
  end: (() => void) | null
  superseded: (() => void) | null
}

/** A stream of which there is one at a time: the newer wins. */
export interface Exclusive {
  /** Whose it is and what of: `<instance> /events/sre`. */
  readonly key: string
  /** The client's own name of its connection, by which it is known when it comes back; null = it gave none. */
  readonly connection: string | null
}

/** How many connections that lost their place are remembered. */
const MOST_SUPERSEDED = 1_000

/** The open streams of one sort (event streams, watches): counted, limited per principal, ended together at the stop. */
export class StreamSet {
  #open = new Map<StreamPlace, Entry>()
  readonly #superseded = new Set<string>()
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

  get size(): number {
    return this.#open.size
  }

  /** Whether another one took the place of this connection: it is not to come back. */
  wasSuperseded({ key, connection }: Exclusive): boolean {
    return connection !== null && this.#superseded.has(`${key} ${connection}`)
  }

  /** An exclusive stream takes the place of the older one, which is told. Throws SW_NO_CAPACITY over the limit of a principal. */
  enter(principal: string, only: Exclusive | null = null): StreamPlace {
    if (only !== null) this.#supersede(only)
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
      onSuperseded: (leave) => {
        const entry = this.#open.get(place)
        if (entry !== undefined) entry.superseded = leave
      },
    }
    this.#open.set(place, { principal, only, end: null, superseded: null })
    this.#onCount(this.#open.size)
    return place
  }

  #supersede({ key, connection }: Exclusive): void {
    for (const [place, { only, superseded }] of [...this.#open]) {
      if (only?.key !== key) continue
      if (only.connection !== null && only.connection !== connection) this.#remember(`${key} ${only.connection}`)
      superseded?.()
      place.leave()
    }
  }

  #remember(connection: string): void {
    this.#superseded.add(connection)
    if (this.#superseded.size > MOST_SUPERSEDED) this.#superseded.delete(this.#superseded.values().next().value!)
  }

  /** Ends every stream, and every one that is opened from now on. */
  stop(): void {
    this.#stopped = true
    for (const entry of [...this.#open.values()]) entry.end?.()
  }
}
