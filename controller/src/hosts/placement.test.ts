import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlaceableAgent, type PlaceableHost, place } from './placement.ts'

const aHost = (name: string, more: Partial<PlaceableHost> = {}): PlaceableHost => ({
  name,
  labels: {},
  connected: true,
  schedulable: true,
  unfit: null,
  draining: false,
  slots: 10,
  memory: null,
  committed: { slots: 0, memory: 0, replicas: 0 },
  ...more,
})
const anAgent = (more: Partial<PlaceableAgent> = {}): PlaceableAgent => ({
  replicas: 1,
  mode: 'daemon',
  slots: 1,
  memory: 0,
  selector: {},
  bulk: false,
  preferred: null,
  suspended: false,
  ...more,
})
const NONE = new Map<number, string>()
const hostsOf = (...args: Parameters<typeof place>) => [...place(...args).hosts].map(([, host]) => host)

describe('placement', () => {
  it('spreads the replicas of an agent', () => {
    expect(hostsOf(anAgent({ replicas: 4 }), NONE, NONE, [aHost('a'), aHost('b')])).toEqual(['a', 'b', 'a', 'b'])
  })

  it('prefers the host with the most room', () => {
    const busy = aHost('a', { committed: { slots: 6, memory: 0, replicas: 6 } })
    expect(hostsOf(anAgent(), NONE, NONE, [busy, aHost('b')])).toEqual(['b'])
  })

  it('goes to the host it was meant for, if that one takes it', () => {
    expect(hostsOf(anAgent({ preferred: 'b' }), NONE, NONE, [aHost('a'), aHost('b')])).toEqual(['b'])
    expect(hostsOf(anAgent({ preferred: 'b' }), NONE, NONE, [aHost('a'), aHost('b', { slots: 0 })])).toEqual(['a'])
  })

  it('puts an agent only where its labels are, and says which one is missing', () => {
    const hosts = [aHost('a'), aHost('b', { labels: { zone: 'eu' } })]
    expect(hostsOf(anAgent({ selector: { zone: 'eu' } }), NONE, NONE, hosts)).toEqual(['b'])
    expect(place(anAgent({ selector: { zone: 'us' } }), NONE, NONE, hosts)).toEqual({
      hosts: new Map(),
      obstacle: { reason: 'NoHost', message: 'no host has the label zone=us' },
    })
  })

  it('gives bulk work to a host of the database alone', () => {
    expect(place(anAgent({ bulk: true }), NONE, NONE, [aHost('a')]).obstacle).toMatchObject({
      reason: 'DatabaseHostRequired',
    })
    expect(
      hostsOf(anAgent({ bulk: true }), NONE, NONE, [aHost('a'), aHost('b', { labels: { database: 'true' } })]),
    ).toEqual(['b'])
  })

  it('leaves what lives on a cordoned host there, and moves it from a drained or lost one', () => {
    const current = new Map([[0, 'a']])
    const others = [aHost('b')]
    const cordoned = aHost('a', { schedulable: false, unfit: 'is unschedulable' })
    expect(hostsOf(anAgent(), current, current, [cordoned, ...others])).toEqual(['a'])
    // It ended by itself: it starts where new ones are taken.
    expect(hostsOf(anAgent(), current, NONE, [cordoned, ...others])).toEqual(['b'])
    expect(hostsOf(anAgent(), current, current, [{ ...cordoned, draining: true }, ...others])).toEqual(['b'])
    expect(hostsOf(anAgent(), current, current, [{ ...cordoned, connected: false }, ...others])).toEqual(['b'])
    expect(hostsOf(anAgent(), current, current, others)).toEqual(['b'])
  })

  it('leaves a suspended agent where it is although its labels moved away', () => {
    const agent = anAgent({ suspended: true, selector: { zone: 'eu' } })
    expect(hostsOf(agent, new Map([[0, 'a']]), NONE, [aHost('a'), aHost('b', { labels: { zone: 'eu' } })])).toEqual([
      'a',
    ])
  })

  it('says who has no room, and counts memory as well as slots', () => {
    const full = aHost('a', { slots: 2, committed: { slots: 2, memory: 0, replicas: 2 } })
    expect(place(anAgent(), NONE, NONE, [full]).obstacle?.message).toBe(
      'host a has no free room for a slot (capacity 2)',
    )
    const small = aHost('a', { memory: 100 })
    expect(hostsOf(anAgent({ replicas: 2, memory: 60 }), NONE, NONE, [small, aHost('b', { memory: 100 })])).toEqual([
      'a',
      'b',
    ])
    expect(place(anAgent({ replicas: 3, memory: 60 }), NONE, NONE, [small]).obstacle?.reason).toBe('NoHost')
  })

  it('never puts more on a host than it has, nor anything where it may not be, and keeps what may stay', () => {
    const host = fc.record({
      labels: fc.constantFrom<Record<string, string>>({}, { zone: 'eu' }),
      connected: fc.boolean(),
      schedulable: fc.boolean(),
      draining: fc.boolean(),
      slots: fc.integer({ min: 0, max: 5 }),
      committed: fc.record({ slots: fc.integer({ min: 0, max: 3 }), memory: fc.constant(0), replicas: fc.constant(0) }),
    })
    fc.assert(
      fc.property(
        fc.array(host, { maxLength: 4 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 2 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }),
        (some, replicas, slots, zoned, before) => {
          const hosts = some.map((one, i) =>
            aHost(`h${i}`, { ...one, schedulable: one.schedulable && one.connected && !one.draining }),
          )
          const agent = anAgent({ replicas, slots, selector: zoned ? { zone: 'eu' } : {} })
          const current = new Map(before.map((index, ordinal) => [ordinal, `h${index}`]))
          const { hosts: placed, obstacle } = place(agent, current, NONE, hosts)
          expect(obstacle === null).toBe(placed.size === replicas)
          for (const one of hosts) {
            const mine = [...placed.values()].filter((name) => name === one.name).length
            if (mine === 0) continue
            expect(one.schedulable).toBe(true)
            if (zoned) expect(one.labels['zone']).toBe('eu')
            expect(mine * slots + one.committed.slots).toBeLessThanOrEqual(one.slots)
          }
          // Deciding again changes nothing.
          expect([...place(agent, placed, NONE, hosts).hosts]).toEqual([...placed])
        },
      ),
    )
  })
})
