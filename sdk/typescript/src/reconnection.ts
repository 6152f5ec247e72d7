/** Waits before the attempts to come back: at once, then 1, 2, 4 … 30 seconds. */
export function waitBefore(attempt: number): number {
  return attempt === 0 ? 0 : Math.min(1_000 * 2 ** (attempt - 1), 30_000)
}

/** After so many attempts that failed, the channel works by polling and says so; it goes on trying. */
export const POLLING_AFTER = 5

/** Nothing for so long, not even a keepalive: the connection is dead. */
export const SILENCE_MS = 60_000

/** While the stream is away: how often messages are asked for. */
export const POLL_MS = 5_000

/** A connection that ended sooner counts as an attempt that failed: a server that hangs up at once is not asked at once. */
export const SHORTEST_MS = 1_000
