import type { Clock } from '../lib/clock.ts'

/** When a loop looks again: now, at a known time, or at the next poll, whichever comes first. Several `now` are one. */
export class Wakeup {
  readonly #clock: Clock
  readonly #pollMs: number
  #due: Promise<void>
  #wake: () => void
  #next: number | null = null
  #polledAt: number
  #timer: NodeJS.Timeout | null = null

  constructor(clock: Clock, pollMs: number) {
    this.#clock = clock
    this.#pollMs = pollMs
    this.#polledAt = clock.monotonicMs()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#due = promise
    this.#wake = resolve
  }

  now(): void {
    this.#wake()
  }

  /** Not later than then. */
  at(time: Date): void {
    const at = time.getTime()
    if (this.#next !== null && this.#next <= at) return
    this.#next = at
    this.#arm()
  }

  /** True once a poll interval: the turn in which what nobody told has to be looked for. */
  get isPoll(): boolean {
    if (this.#clock.monotonicMs() - this.#polledAt < this.#pollMs) return false
    this.#polledAt = this.#clock.monotonicMs()
    return true
  }

  /** Resolves when it is time; what came since the last call counts. */
  async wait(): Promise<void> {
    this.#arm()
    await this.#due
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#due = promise
    this.#wake = resolve
    if (this.#next !== null && this.#next <= this.#clock.now().getTime()) this.#next = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const untilNext = this.#next === null ? this.#pollMs : Math.max(0, this.#next - this.#clock.now().getTime())
    this.#timer = setTimeout(() => this.#wake(), Math.min(untilNext, this.#pollMs))
  }
}
