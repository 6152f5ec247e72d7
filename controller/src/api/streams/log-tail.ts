import type { LoggedEvent } from '../../store/ports.ts'

/** An event with its JSON, made once for however many readers. */
export interface TailEvent {
  readonly event: LoggedEvent
  readonly json: string
}

export interface LogReader {
  /** Number of the newest event. */
  head(): Promise<number>
  /** Events with a number above `after`, in order, at most `limit`. */
  read(after: number, limit: number): Promise<readonly LoggedEvent[]>
  /** Calls back soon after the log grew; a hint, numbers may be skipped. */
  subscribe(onSeq: (seq: number) => void): () => void
  /** Whether anybody reads; default: yes. What nobody reads is not fetched. */
  isRead?(): boolean
}

/** With more readers than this, they are woken together, and left alone for so many milliseconds after each time. */
const FEW_READERS = 50
const REST_MS = 15
const RING_EVENTS = 2_000
const RING_BYTES = 8 * 1024 * 1024
const PAGE = 500

/**
 * The newest events in memory, read from the database once for all open streams. Readers pull: each asks for what comes
 * after its own cursor and gets it from the ring, or from the database when it is further behind. Nothing is buffered per
 * reader, so a slow one costs nothing but its own socket.
 */
export class LogTail {
  readonly #reader: LogReader
  readonly #unsubscribe: () => void
  #ring: TailEvent[] = []
  #bytes = 0
  /** Everything above this number up to #head is in the ring. */
  #floor: number
  #head: number
  #known: number
  #cut: { readonly after: number; readonly head: number; readonly events: readonly TailEvent[] } | null = null
  #reading = false
  #waiting = new Set<() => void>()
  readonly #endings = new WeakMap<AbortSignal, { wake: (() => void) | null }>()
  #waking: NodeJS.Timeout | null = null
  /** Many readers are woken from this time on; null = they are at it. */
  #restsUntil: number | null = 0
  #onError: (error: unknown) => void
  #closed = false

  private constructor(reader: LogReader, head: number, onError: (error: unknown) => void) {
    this.#reader = reader
    this.#floor = head
    this.#head = head
    this.#known = head
    this.#onError = onError
    this.#unsubscribe = reader.subscribe((seq) => {
      this.#known = Math.max(this.#known, seq)
      void this.#advance()
    })
  }

  static async open(reader: LogReader, onError: (error: unknown) => void): Promise<LogTail> {
    return new LogTail(reader, await reader.head(), onError)
  }

  /** Number of the newest event that readers can have. */
  get head(): number {
    return this.#head
  }

  /** How far the log has come, also when this tail has not yet: another process tells of events before we read them. */
  newest(): Promise<number> {
    return this.#reader.head()
  }

  /** Whether the log has come this far. */
  async reaches(seq: number): Promise<boolean> {
    return seq <= this.#head || seq <= (await this.newest())
  }

  /**
   * Events above `after`, at most 500; waits until there is one. Empty only when `signal` is aborted or the tail closed. A
   * signal is that of one reader, who waits once at a time.
   */
  async next(after: number, signal: AbortSignal): Promise<readonly TailEvent[]> {
    while (!signal.aborted && !this.#closed) {
      if (after < this.#floor) {
        const rows = await this.#reader.read(after, PAGE)
        if (rows.length > 0) return rows.map(withJson)
        // Events below the floor may have been dropped by retention: go on with what is there.
        after = this.#floor
        continue
      }
      if (after < this.#head) return this.#slice(after)
      await this.#grown(signal)
    }
    return []
  }

  /** The same list for everybody who stands at the same place, so that what is made of it is made once. */
  #slice(after: number): readonly TailEvent[] {
    if (this.#cut?.after !== after || this.#cut.head !== this.#head) {
      const from = after - this.#floor
      this.#cut = { after, head: this.#head, events: this.#ring.slice(from, from + PAGE) }
    }
    return this.#cut.events
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe()
    if (this.#waking !== null) clearTimeout(this.#waking)
    this.#wake()
  }

  /** One read at a time; what arrived meanwhile is read next. */
  async #advance(): Promise<void> {
    if (this.#reading || this.#closed) return
    if (this.#reader.isRead?.() === false) {
      this.#forget()
      return
    }
    this.#reading = true
    try {
      while (this.#known > this.#head && !this.#closed) {
        const rows = await this.#reader.read(this.#head, PAGE)
        if (rows.length === 0) break
        this.#add(rows.map(withJson))
      }
    } catch (error) {
      this.#onError(error)
      if (!this.#closed) setTimeout(() => void this.#advance(), 1_000).unref()
    } finally {
      this.#reading = false
    }
  }

  /** Whoever comes later reads what came meanwhile by himself. */
  #forget(): void {
    this.#ring = []
    this.#bytes = 0
    this.#head = this.#known
    this.#floor = this.#known
    this.#wake()
  }

  #add(events: readonly TailEvent[]): void {
    for (const event of events) {
      this.#ring.push(event)
      this.#bytes += event.json.length
    }
    this.#head = events.at(-1)!.event.seq
    let drop = 0
    while (this.#ring.length - drop > RING_EVENTS || (this.#bytes > RING_BYTES && drop < this.#ring.length - 1)) {
      this.#bytes -= this.#ring[drop]!.json.length
      drop += 1
    }
    if (drop > 0) this.#ring.splice(0, drop)
    this.#floor = this.#head - this.#ring.length
    this.#wakeInTurn()
  }

  /** A few at once. Many take as long as it takes to send to them all: meanwhile, and a little longer, the rest of the process has its turn. */
  #wakeInTurn(): void {
    if (this.#waiting.size <= FEW_READERS) {
      this.#wake()
      return
    }
    const wait = this.#restsUntil === null ? REST_MS : this.#restsUntil - performance.now()
    if (wait > 0) {
      this.#waking ??= setTimeout(() => {
        this.#waking = null
        this.#wakeInTurn()
      }, wait)
      return
    }
    this.#restsUntil = null
    this.#wake()
    // They do what they do before this is called.
    setImmediate(() => {
      this.#restsUntil = performance.now() + REST_MS
    })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  #grown(signal: AbortSignal): Promise<void> {
    const ending = this.#endingOf(signal)
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        ending.wake = null
        resolve()
      }
      this.#waiting.add(wake)
      ending.wake = wake
    })
  }

  /** One listener for as long as a reader lives, not one for each time it waits. */
  #endingOf(signal: AbortSignal): { wake: (() => void) | null } {
    const known = this.#endings.get(signal)
    if (known !== undefined) return known
    const ending: { wake: (() => void) | null } = { wake: null }
    signal.addEventListener('abort', () => ending.wake?.(), { once: true })
    this.#endings.set(signal, ending)
    return ending
  }
}

function withJson(event: LoggedEvent): TailEvent {
  return { event, json: JSON.stringify(event) }
}
