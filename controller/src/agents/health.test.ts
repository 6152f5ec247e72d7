import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agentHealth, healthOf, type InstanceHealth } from './health.ts'

const BEAT = { intervalMs: 30_000, timeoutMs: 90_000 }
const seen = (lastSeenAt: number, more: object = {}) => ({ registered: true, draining: false, lastSeenAt, ...more })

describe('the health of an instance', () => {
  it.each([
    [0, 'healthy'],
    [59_999, 'healthy'],
    [60_000, 'late'],
    [89_999, 'late'],
    [90_000, 'silent'],
    [86_400_000, 'silent'],
  ])('after %d ms of silence is %s', (ms, health) => {
    expect(healthOf(seen(0), BEAT, ms, 0)).toBe(health)
  })

  it('before its first report is starting, for as long as silence is allowed', () => {
    expect(healthOf(seen(0, { registered: false }), BEAT, 89_999, 0)).toBe('starting')
    expect(healthOf(seen(0, { registered: false }), BEAT, 90_000, 0)).toBe('silent')
  })

  it('is not blamed on it while nobody listened', () => {
    expect(healthOf(seen(0), BEAT, 1_000_000, 990_000)).toBe('healthy')
  })

  it('never gets better by silence, whatever was agreed', () => {
    const order: InstanceHealth[] = ['starting', 'healthy', 'late', 'silent']
    const beats = fc
      .tuple(fc.integer({ min: 1000, max: 3_600_000 }), fc.integer({ min: 1, max: 3_600_000 }))
      .map(([intervalMs, more]) => ({ intervalMs, timeoutMs: intervalMs + more }))
    const times = fc.tuple(fc.nat(10_000_000), fc.nat(10_000_000))
    fc.assert(
      fc.property(beats, times, fc.boolean(), (beat, [a, b], registered) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((now) =>
          order.indexOf(healthOf(seen(0, { registered }), beat, now, 0)),
        )
        expect(late).toBeGreaterThanOrEqual(early!)
        expect(healthOf(seen(0), beat, beat.timeoutMs, 0)).toBe('silent')
        expect(healthOf(seen(0), beat, beat.timeoutMs - 1, 0)).not.toBe('silent')
      }),
    )
  })
})

describe('the health of an agent', () => {
  const FACTS = {
    mode: 'daemon',
    replicas: 2,
    suspended: false,
    deleting: false,
    ready: 'False',
    reason: 'Failed',
  } as const
  const health = (instances: InstanceHealth[], more: object = {}) => agentHealth({ ...FACTS, instances, ...more })

  it('is that of its instances', () => {
    expect(health(['healthy', 'healthy'])).toBe('healthy')
    expect(health(['healthy', 'silent'])).toBe('degraded')
    expect(health(['healthy'])).toBe('degraded')
    expect(health(['late', 'silent'])).toBe('late')
    expect(health(['starting', 'silent'])).toBe('starting')
    expect(health(['silent', 'silent'])).toBe('silent')
    expect(health(['draining'])).toBe('draining')
  })

  it('without instances says why there are none', () => {
    expect(health([])).toBe('failed')
    expect(health([], { reason: 'Starting' })).toBe('starting')
    expect(health([], { replicas: 0 })).toBe('stopped')
    expect(health([], { mode: 'external' })).toBe('stopped')
    expect(health(['healthy'], { suspended: true })).toBe('paused')
    expect(health(['healthy'], { deleting: true })).toBe('draining')
  })

  it('of commands is whether they could be started', () => {
    expect(health([], { mode: 'perTask', ready: 'True' })).toBe('healthy')
    expect(health([], { mode: 'perTask' })).toBe('failed')
    expect(health([], { mode: 'perTask', ready: 'Unknown' })).toBe('starting')
  })
})
