/** Time as a dependency: leases compare inside Postgres, every other time comes from here (so tests can set it). */
export interface Clock {
  /** Wall time; for timestamps that people and other systems read. */
  now(): Date
  /** Milliseconds on a clock that never goes back; for elapsed time. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
}
