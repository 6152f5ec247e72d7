/**
 * Keys that want attention: each at most once in the queue, never handled by two workers at a time, per-key exponential
 * backoff with jitter after a failure. `urgent` keys (a person's change) come before `resync` ones. Keys only: whoever
 * takes one looks at the world as it is then.
 */
export type Priority = 'urgent' | 'resync'

export interface WorkQueueOptions {
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly metrics: QueueObserver
}

/** What a queue tells of itself; times in seconds. */
export interface QueueObserver {
  depth(keys: number): void
  added(): void
  retried(): void
  taken(waited: number): void
  done(worked: number): void
}

const NO_METRICS: QueueObserver = { depth() {}, added() {}, retried() {}, taken() {}, done() {} }

export class WorkQueue {
  readonly #options: WorkQueueOptions
  /** Key → when it came, in milliseconds. */
  readonly #urgent = new Map<string, number>()
  readonly #resync = new Map<string, number>()
  /** Key → when it was taken. */
  readonly #working = new Map<string, number>()
  /** Added again while being worked on. */
  readonly #again = new Map<string, Priority>()
  readonly #failures = new Map<string, number>()
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; at: number }>()
  readonly #waiting: ((key: string | null) => void)[] = []
  readonly #idlers: (() => void)[] = []
  #closed = false

  constructor(options: Partial<WorkQueueOptions> = {}) {
    this.#options = { baseDelayMs: 200, maxDelayMs: 300_000, random: Math.random, metrics: NO_METRICS, ...options }
  }

  get depth(): number {
    return this.#urgent.size + this.#resync.size
  }

  get active(): number {
    return this.#working.size
  }

  add(key: string, priority: Priority = 'urgent'): void {
    if (this.#closed) return
    if (this.#working.has(key)) {
      if (this.#again.get(key) !== 'urgent') this.#again.set(key, priority)
      return
    }
    if (!this.#urgent.has(key)) {
      const since = this.#resync.get(key) ?? performance.now()
      if (!this.#resync.has(key)) this.#options.metrics.added()
      if (priority === 'urgent') {
        this.#resync.delete(key)
        this.#urgent.set(key, since)
      } else this.#resync.set(key, since)
    }
    this.#options.metrics.depth(this.depth)
    this.#hand()
  }

  /** Adds the key later; an earlier time already set stays. */
  addAfter(key: string, delayMs: number, priority: Priority = 'resync'): void {
    if (this.#closed) return
    const at = performance.now() + delayMs
    const known = this.#timers.get(key)
    if (known !== undefined && known.at <= at) return
    if (known !== undefined) clearTimeout(known.timer)
    const timer = setTimeout(() => {
      this.#timers.delete(key)
      this.add(key, priority)
    }, delayMs)
    timer.unref()
    this.#timers.set(key, { timer, at })
  }

  /** The next key, as soon as there is one; null when the queue was closed. Call {@link finish} afterwards. */
  async take(): Promise<string | null> {
    const key = this.#next()
    if (key !== null) return key
    if (this.#closed) return null
    return await new Promise((resolve) => this.#waiting.push(resolve))
  }

  finish(key: string): void {
    const since = this.#working.get(key)
    if (since !== undefined) this.#options.metrics.done((performance.now() - since) / 1000)
    this.#working.delete(key)
    const again = this.#again.get(key)
    this.#again.delete(key)
    if (again === undefined) this.#tellIdle()
    else this.add(key, again)
  }

  /** Adds the key again after its backoff; returns the delay in milliseconds. */
  failed(key: string): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const full = Math.min(this.#options.maxDelayMs, this.#options.baseDelayMs * 2 ** Math.min(failures, 30))
    const delay = full * (0.5 + this.#options.random() / 2)
    this.#options.metrics.retried()
    this.addAfter(key, delay)
    return delay
  }

  /** Forgets the failures of a key. */
  succeeded(key: string): void {
    this.#failures.delete(key)
  }

  forget(key: string): void {
    this.#failures.delete(key)
    const known = this.#timers.get(key)
    if (known !== undefined) clearTimeout(known.timer)
    this.#timers.delete(key)
    this.#urgent.delete(key)
    this.#resync.delete(key)
    this.#tellIdle()
  }

  /** Resolves when nothing is queued and nothing is being worked on. */
  async idle(): Promise<void> {
    while (this.depth > 0 || this.active > 0) await new Promise<void>((resolve) => this.#idlers.push(resolve))
  }

  close(): void {
    this.#closed = true
    for (const { timer } of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    // What is left is looked at after the next start: whoever stops does not wait for it.
    this.#urgent.clear()
    this.#resync.clear()
    this.#again.clear()
    for (const resolve of this.#waiting.splice(0)) resolve(null)
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.depth > 0 || this.active > 0) return
    for (const resolve of this.#idlers.splice(0)) resolve()
  }

  #next(): string | null {
    const queue = this.#urgent.size > 0 ? this.#urgent : this.#resync
    const [first] = queue
    if (first === undefined) return null
    const [key, since] = first
    queue.delete(key)
    const now = performance.now()
    this.#working.set(key, now)
    this.#options.metrics.taken((now - since) / 1000)
    this.#options.metrics.depth(this.depth)
    return key
  }

  #hand(): void {
    while (this.#waiting.length > 0) {
      const key = this.#next()
      if (key === null) return
      this.#waiting.shift()!(key)
    }
  }
}
