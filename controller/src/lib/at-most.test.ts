import { expect, it } from 'vitest'
import { atMost } from './at-most.ts'

const HOUR = 3_600_000
const NEVER = new Promise(() => {})
const { signal: unheard } = new AbortController()

it('waits for the work, and throws what it throws', async () => {
  const done: string[] = []
  await atMost(
    HOUR,
    Promise.resolve().then(() => done.push('work')),
    unheard,
  )
  expect(done).toEqual(['work'])
  await expect(atMost(HOUR, Promise.reject(new Error('broken')), unheard)).rejects.toThrow('broken')
})

it('goes on after so long, and when it is to end, before or meanwhile', async () => {
  const keepAlive = setTimeout(() => {}, HOUR)
  await atMost(1, NEVER, unheard)
  await atMost(HOUR, NEVER, AbortSignal.abort())
  const ending = new AbortController()
  const waiting = atMost(HOUR, NEVER, ending.signal)
  ending.abort()
  await waiting
  clearTimeout(keepAlive)
})
