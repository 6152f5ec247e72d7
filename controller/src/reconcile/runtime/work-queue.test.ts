import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Priority, WorkQueue } from './work-queue.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const queueOf = (...keys: string[]) => {
  const queue = new WorkQueue({ baseDelayMs: 100, maxDelayMs: 1_000, random: () => 1 })
  for (const key of keys) queue.add(key)
  return queue
}

/** Everything that can be taken now. */
async function takeAll(queue: WorkQueue): Promise<(string | null)[]> {
  const taken: (string | null)[] = []
  while (queue.depth > 0) taken.push(await queue.take())
  return taken
}

describe('WorkQueue', () => {
  test('hands out each key once, in the order they came', async () => {
    const queue = queueOf('a', 'b', 'a', 'c')
    expect(queue.depth).toBe(3)
    expect(await takeAll(queue)).toEqual(['a', 'b', 'c'])
    expect(queue.active).toBe(3)
  })

  test('urgent keys come before resync ones, and a resync key becomes urgent when a person asks', async () => {
    const queue = queueOf()
    for (const key of ['a', 'b', 'c']) queue.add(key, 'resync')
    queue.add('d', 'urgent')
    queue.add('c', 'urgent')
    queue.add('d', 'resync')
    expect(await takeAll(queue)).toEqual(['d', 'c', 'a', 'b'])
  })

  test('a key that is worked on comes again only after it was finished, and once', async () => {
    const queue = queueOf('a')
    await queue.take()
    queue.add('a', 'resync')
    queue.add('a', 'urgent')
    queue.add('b', 'resync')
    expect(queue.depth).toBe(1)
    queue.finish('a')
    expect(await takeAll(queue)).toEqual(['a', 'b'])
    queue.finish('a')
    queue.finish('b')
    expect([queue.depth, queue.active]).toEqual([0, 0])
  })

  test('a worker that waits gets the next key', async () => {
    const queue = queueOf()
    const [first, second] = [queue.take(), queue.take()]
    queue.add('a')
    queue.add('b')
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
  })

  test('failures double the delay up to the limit, with jitter between half and whole', () => {
    const queue = queueOf()
    expect([1, 2, 3, 4, 5, 6].map(() => queue.failed('a'))).toEqual([100, 200, 400, 800, 1_000, 1_000])
    queue.succeeded('a')
    expect(queue.failed('a')).toBe(100)
    const low = new WorkQueue({ baseDelayMs: 100, random: () => 0 })
    expect(low.failed('a')).toBe(50)
    for (let i = 0; i < 2_000; i++) low.failed('b')
    expect(low.failed('b')).toBe(150_000)
  })

  test('a failed key comes again when its delay is over, behind what is urgent', async () => {
    const queue = queueOf()
    queue.failed('a')
    await vi.advanceTimersByTimeAsync(99)
    expect(queue.depth).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    queue.add('b')
    expect(await takeAll(queue)).toEqual(['b', 'a'])
  })

  test('of two times set for a key the earlier counts', async () => {
    const queue = queueOf()
    queue.addAfter('a', 500)
    queue.addAfter('a', 100)
    queue.addAfter('a', 900)
    await vi.advanceTimersByTimeAsync(100)
    expect(await takeAll(queue)).toEqual(['a'])
    queue.finish('a')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(queue.depth).toBe(0)
  })

  test('a forgotten key comes no more, neither now nor later, and its failures are forgotten', async () => {
    const queue = queueOf('a')
    queue.failed('a')
    queue.forget('a')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(queue.depth).toBe(0)
    expect(queue.failed('a')).toBe(100)
  })

  test('closing ends the waiting, drops what is left and takes nothing more', async () => {
    const queue = queueOf()
    const waiting = queue.take()
    queue.close()
    expect(await waiting).toBeNull()
    const full = queueOf('a', 'b')
    full.addAfter('c', 10)
    await full.take()
    full.add('a')
    full.close()
    full.finish('a')
    full.add('d')
    full.addAfter('e', 1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await full.take()).toBeNull()
    expect([full.depth, full.active]).toEqual([0, 0])
  })

  test('is idle when nothing is queued and nothing is worked on', async () => {
    vi.useRealTimers()
    const queue = queueOf('a')
    let idle = false
    const done = queue.idle().then(() => {
      idle = true
    })
    const key = await queue.take()
    await new Promise((resolve) => setImmediate(resolve))
    expect(idle).toBe(false)
    queue.finish(key!)
    await done
    expect(idle).toBe(true)
  })

  test('whatever happens, a key never has two workers and every wish is met afterwards', async () => {
    const key = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key, priority: fc.constantFrom<Priority>('urgent', 'resync') }),
      fc.record({ do: fc.constantFrom('take' as const, 'finish' as const, 'fail' as const), key }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const queue = queueOf()
        const working = new Set<string>()
        const wanted = new Set<string>()
        const take = async () => {
          const taken = (await queue.take())!
          expect(working.has(taken)).toBe(false)
          working.add(taken)
          wanted.delete(taken)
        }
        for (const { do: what, key: on, ...rest } of steps) {
          if (what === 'add') {
            queue.add(on, 'priority' in rest ? rest.priority : 'urgent')
            wanted.add(on)
          } else if (what === 'take' && queue.depth > 0) await take()
          else if (working.has(on)) {
            if (what === 'fail') {
              queue.failed(on)
              wanted.add(on)
            }
            queue.finish(on)
            working.delete(on)
          }
          expect(queue.active).toBe(working.size)
        }
        await vi.advanceTimersByTimeAsync(1_000)
        for (const on of [...working]) {
          queue.finish(on)
          working.delete(on)
        }
        while (queue.depth > 0) await take()
        expect(wanted.size).toBe(0)
      }),
    )
  })
})
