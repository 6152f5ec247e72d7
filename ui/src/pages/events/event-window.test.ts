import { describe, expect, it } from 'vitest'
import type { Event } from '../../api/reads.ts'
import { EventWindow } from './event-window.ts'

const event = (seq: number): Event => ({
  ...{ event_id: `e${seq}`, event_name: 'a.b', occurred_at: '2030-01-01T00:00:00.000Z', env_id: 'default' },
  ...{ actor: 'system', correlation_id: 'c', run_id: null, step_id: null, resource: null, data: {}, seq },
})
/** A log of these numbers. */
const logOf =
  (oldest: number, newest: number, asked: number[] = []) =>
  async (before: number, limit: number) => {
    asked.push(before)
    const top = Math.min(newest, before - 1)
    return Array.from({ length: Math.max(0, Math.min(limit, top - oldest + 1)) }, (_, i) => event(top - i))
  }
const settled = () => new Promise((resolve) => setTimeout(resolve))

describe('a window into the log', () => {
  it('reads the blocks that are wanted, each once', async () => {
    const asked: number[] = []
    const window = new EventWindow({ oldest: 1, newest: 100_000 }, logOf(1, 100_000, asked))
    window.want(50_010, 50_390)
    window.want(50_010, 50_390)
    await settled()
    expect(asked).toEqual([50_400, 50_200])
    expect(window.get(50_390)?.event_id).toBe('e50390')
    expect(window.get(50_010)?.event_id).toBe('e50010')
    expect(window.get(10)).toBeUndefined()
  })

  it('holds no more than it may, and lets go what was looked at longest ago', async () => {
    const window = new EventWindow({ oldest: 1, newest: 100_000 }, logOf(1, 100_000), 3)
    for (const at of [100, 1_100, 2_100, 3_100]) {
      window.want(at, at)
      await settled()
    }
    expect(window.held).toBe(600)
    expect(window.get(100)).toBeUndefined()
    expect(window.get(3_100)).toBeDefined()
  })

  it('takes what comes live without reading it, also when an answer overtakes it', async () => {
    const window = new EventWindow({ oldest: 1, newest: 10 }, logOf(1, 12))
    let told = 0
    window.subscribe(() => told++)
    window.add(event(11))
    window.add(event(11))
    expect([window.newest, told, window.get(11)?.seq]).toEqual([11, 1, 11])
    window.want(1, 11)
    await settled()
    expect(window.get(3)?.seq).toBe(3)
    window.add(event(13))
    expect(window.get(12)?.seq).toBe(12)
    expect(window.newest).toBe(13)
  })

  it('knows that the oldest were dropped from the log meanwhile', async () => {
    const window = new EventWindow({ oldest: 1, newest: 400 }, logOf(150, 400))
    window.want(1, 180)
    await settled()
    expect(window.oldest).toBe(150)
  })

  it('says why it could not read, and goes on when it is told to', async () => {
    let fails = true
    const read = logOf(1, 400)
    const window = new EventWindow({ oldest: 1, newest: 400 }, async (before, limit) => {
      if (fails) throw new Error('away')
      return read(before, limit)
    })
    window.want(1, 10)
    await settled()
    expect(window.failure).toBeInstanceOf(Error)
    fails = false
    window.retry()
    window.want(1, 10)
    await settled()
    expect([window.failure, window.get(5)?.seq]).toEqual([null, 5])
  })
})
