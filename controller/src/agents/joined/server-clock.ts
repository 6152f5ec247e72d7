import type { Clock } from '../../lib/clock.ts'

/**
 * The control plane's time on a joined host: what is compared with times of rows (heartbeats, deadlines, restarts) has to be
 * of one clock. Right to within half of what a heartbeat takes.
 */
export class ServerClock implements Clock {
  readonly #own: Clock
  #offsetMs = 0

  constructor(own: Clock) {
    this.#own = own
  }

  now(): Date {
    return new Date(this.#own.now().getTime() + this.#offsetMs)
  }

  monotonicMs(): number {
    return this.#own.monotonicMs()
  }

  /** The server said what time it was, some time between these two readings of the own clock. */
  heard(serverTime: Date, sent: Date, received: Date): void {
    this.#offsetMs = serverTime.getTime() - (sent.getTime() + received.getTime()) / 2
  }
}
