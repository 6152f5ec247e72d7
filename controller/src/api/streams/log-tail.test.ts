import { expect, it, vi } from 'vitest'
import type { LoggedEvent } from '../../store/ports.ts'
import { LogTail } from './log-tail.ts'

/** A tail of a log that ends at 3: `grow` makes it longer, `tell` says so. */
async function tailOf() {
  let head = 3
  let tell: (seq: number) => void = () => {}
  const event = (seq: number) => ({ seq, event_name: `e.${seq}` }) as LoggedEvent
  const tail = await LogTail.open(
    {
      head: async () => head,
      read: async (after) => Array.from({ length: head - after }, (_, i) => event(after + 1 + i)),
      subscribe: (onSeq) => {
        tell = onSeq
        return () => {}
      },
    },
    (error) => expect.unreachable(String(error)),
  )
  return {
    tail,
    grow(to: number) {
      head = to
    },
    tell: (seq: number) => tell(seq),
  }
}

it('knows of events that it has not read yet, and gives those that follow once they are there', async () => {
  const { tail, grow, tell } = await tailOf()
  // Committed, and read by the one who asks now, before anybody told the tail.
  grow(5)
  expect([await tail.reaches(5), await tail.reaches(6), tail.head]).toEqual([true, false, 3])
  const next = tail.next(5, new AbortController().signal)
  tell(5)
  grow(6)
  tell(6)
  expect((await next).map(({ event: { seq } }) => seq)).toEqual([6])
  tail.close()
})

it('wakes many readers at once, leaves them alone for a while, and then gives them all that came meanwhile', async () => {
  vi.useFakeTimers()
  try {
    const { tail, grow, tell } = await tailOf()
    const seen: number[][] = []
    const { signal } = new AbortController()
    const readers = 60
    const follow = async (): Promise<void> => {
      for (let at = 3; at < 6; ) {
        const events = (await tail.next(at, signal)).map(({ event: { seq } }) => seq)
        seen.push(events)
        at = events.at(-1)!
      }
    }
    const following = Promise.all(Array.from({ length: readers }, follow))
    const come = async (seq: number): Promise<void> => {
      grow(seq)
      tell(seq)
      await vi.advanceTimersByTimeAsync(1)
    }
    await come(4)
    expect(seen).toEqual(Array(readers).fill([4]))
    await come(5)
    await come(6)
    expect(seen).toHaveLength(readers)
    await vi.runAllTimersAsync()
    await following
    expect(seen.slice(readers)).toEqual(Array(readers).fill([5, 6]))
    tail.close()
  } finally {
    vi.useRealTimers()
  }
})
