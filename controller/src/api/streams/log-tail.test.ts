import { expect, it } from 'vitest'
import type { LoggedEvent } from '../../store/ports.ts'
import { LogTail } from './log-tail.ts'

it('knows of events that it has not read yet, and gives those that follow once they are there', async () => {
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
  // Committed, and read by the one who asks now, before anybody told the tail.
  head = 5
  expect([await tail.reaches(5), await tail.reaches(6), tail.head]).toEqual([true, false, 3])
  const next = tail.next(5, new AbortController().signal)
  tell(5)
  head = 6
  tell(6)
  expect((await next).map(({ event: { seq } }) => seq)).toEqual([6])
  tail.close()
})
