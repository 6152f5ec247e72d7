import { expect, it, vi } from 'vitest'
import { type Measured, MetricsFeed } from './metrics-feed.ts'

const of = (key: string, value: object): Measured => ({ key, value })

function read(frames: Buffer[]) {
  return frames.map((frame) => {
    const [name, data] = frame.toString().trim().split('\n')
    return { name, ...(JSON.parse(data!.slice('data: '.length)) as Record<string, unknown>) }
  })
}

it('tells who comes everything, then what has changed and what is gone, and looks at nothing while nobody looks on', async () => {
  vi.useFakeTimers()
  try {
    let looks = 0
    let now = { hosts: [of('host a', { host: 'a', cpu: 1 })], agents: [of('agent d/x', { agent: 'x', busy: 0 })] }
    const feed = new MetricsFeed({
      read: async () => {
        looks += 1
        return now
      },
      everyMs: 1_000,
      onError: (error) => expect.unreachable(String(error)),
    })
    const first: Buffer[] = []
    const second: Buffer[] = []
    const leaveFirst = feed.subscribe((frame) => first.push(frame))
    await vi.advanceTimersByTimeAsync(0)
    expect(read(first)).toEqual([
      { name: 'event: metrics', hosts: [{ host: 'a', cpu: 1 }], agents: [{ agent: 'x', busy: 0 }], gone: [] },
    ])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(first).toHaveLength(1)
    now = { hosts: [of('host a', { host: 'a', cpu: 2 })], agents: [] }
    const leaveSecond = feed.subscribe((frame) => second.push(frame))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(read(first).at(-1)).toEqual({
      name: 'event: metrics',
      hosts: [{ host: 'a', cpu: 2 }],
      agents: [],
      gone: ['agent d/x'],
    })
    expect(read(second)).toEqual([{ name: 'event: metrics', hosts: [{ host: 'a', cpu: 2 }], agents: [], gone: [] }])
    leaveFirst()
    leaveSecond()
    const before = looks
    await vi.advanceTimersByTimeAsync(10_000)
    expect(looks).toBe(before)
  } finally {
    vi.useRealTimers()
  }
})
