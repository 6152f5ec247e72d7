import type { Clock } from './clock.ts'

/** A clock that a test moves. */
export class ManualClock implements Clock {
  #now = 0
  #sleepers: { readonly until: number; readonly wake: () => void }[] = []

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper = {
        until: this.#now + ms,
        wake: () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
          signal.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.push(sleeper)
      signal.addEventListener('abort', sleeper.wake, { once: true })
    })
  }

  /** Lets everything settle, and says in how many milliseconds the next sleeper wakes; null = nobody sleeps. */
  async next(): Promise<number | null> {
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
    const untils = this.#sleepers.map(({ until }) => until)
    return untils.length === 0 ? null : Math.min(...untils) - this.#now
  }

  async advance(ms: number): Promise<void> {
    this.#now += ms
    for (const { until, wake } of [...this.#sleepers]) if (until <= this.#now) wake()
    await this.next()
  }
}
