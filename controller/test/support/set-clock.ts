import type { Clock } from '../../src/lib/clock.ts'

/** A clock that a test sets; elapsed time is real. */
export class SetClock implements Clock {
  #now: Date

  constructor(time: string) {
    this.#now = new Date(time)
  }

  set(time: string | Date): void {
    this.#now = new Date(time)
  }

  now(): Date {
    return new Date(this.#now)
  }

  monotonicMs(): number {
    return performance.now()
  }
}
