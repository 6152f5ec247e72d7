/**
 * The order of times that keeps a replica from running twice when a host and the control plane lose sight of each other.
 *
 * A host sends a heartbeat at `sent` by its own clock, which counts while the machine sleeps. The control plane reads it later,
 * or never, and says "yours until then": `leaseMs` from the moment it read it. The host counts from `sent`, so it always
 * believes its lease to be shorter than it is: by the time the message took. It ends everything {@link marginMs} before
 * that, so what it takes to notice and to kill, and what clocks drift within one lease, fit in between:
 *
 *     sent + leaseMs - margin  <  read + leaseMs  ≤  when the control plane starts the replica elsewhere
 */
export interface HostDeadlines {
  /** Agents are asked to end (TERM). */
  readonly stopAt: number
  /** What still runs is ended (KILL). */
  readonly killAt: number
}

/** What is left for noticing, killing and drifting; never less than a second. */
export function marginMs(leaseMs: number): number {
  return Math.max(leaseMs / 6, 1_000)
}

/** When the processes of a host whose last answered heartbeat was sent at `sentAt` have to end. Same clock, milliseconds. */
export function hostDeadlines(sentAt: number, leaseMs: number): HostDeadlines {
  const killAt = sentAt + leaseMs - marginMs(leaseMs)
  return { stopAt: killAt - Math.min(leaseMs / 6, 10_000), killAt }
}

/** How often a host renews its lease, so that several heartbeats may be lost. */
export function heartbeatEveryMs(leaseMs: number): number {
  return Math.min(Math.max(leaseMs / 6, 250), 10_000)
}

export const SHORTEST_HOST_LEASE_MS = 3_000
