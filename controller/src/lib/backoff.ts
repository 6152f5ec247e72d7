export interface Backoff {
  /** Before the second attempt. */
  readonly firstMs: number
  readonly factor: number
  /** No pause is longer. */
  readonly maxMs: number
  /** 0 to 1: the part of a pause that chance may take away, so that those who failed together do not come back together. */
  readonly jitter: number
}

/** The pause after attempt `attempt` (1 = the first) failed, in whole milliseconds. `random` is at least 0 and below 1. */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const pause = Math.min(backoff.firstMs * backoff.factor ** (attempt - 1), backoff.maxMs)
  return Math.round(pause * (1 - backoff.jitter * random))
}
