import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { heartbeatEveryMs, hostDeadlines, marginMs, SHORTEST_HOST_LEASE_MS } from './host-lease.ts'

/** How far a clock may run from another within one lease: far more than a real one does. */
const DRIFT = 0.01
/** How often the end is looked for, and how long a KILL takes to show. */
const NOTICE_MS = 500

describe('the lease of a host', () => {
  it('is over for the host before it is over for the control plane, however long messages take and clocks drift', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: SHORTEST_HOST_LEASE_MS, max: 600_000 }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.double({ min: 1 - DRIFT, max: 1 + DRIFT, noNaN: true }),
        fc.integer({ min: 0, max: NOTICE_MS }),
        (leaseMs, sentAt, onTheWay, rate, noticedAfter) => {
          // Real time; the host's clock runs at `rate` of it from the moment it sent the heartbeat.
          const { killAt, stopAt } = hostDeadlines(sentAt, leaseMs)
          const killed = sentAt + (killAt - sentAt) / rate + noticedAfter
          const takenOver = sentAt + onTheWay + leaseMs
          expect(stopAt).toBeLessThan(killAt)
          expect(killed).toBeLessThan(takenOver)
        },
      ),
    )
  })

  it('leaves time for a lost heartbeat before anything is stopped', () => {
    fc.assert(
      fc.property(fc.integer({ min: SHORTEST_HOST_LEASE_MS, max: 600_000 }), (leaseMs) => {
        expect(hostDeadlines(0, leaseMs).stopAt).toBeGreaterThanOrEqual(1.9 * heartbeatEveryMs(leaseMs))
        expect(marginMs(leaseMs)).toBeGreaterThanOrEqual(NOTICE_MS)
      }),
    )
  })
})
