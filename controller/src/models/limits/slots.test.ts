import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Slots } from './slots.ts'

const free = new AbortController().signal

test('the most urgent is let in first, then whoever came first', async () => {
  const slots = new Slots()
  const order: string[] = []
  const leave = await slots.enter(1, 5, free)
  const all = [
    ['late', 9],
    ['first', 5],
    ['second', 5],
    ['urgent', 1],
  ].map(async ([name, urgency]) => {
    const out = await slots.enter(1, urgency as number, free)
    order.push(name as string)
    out()
  })
  await turn()
  expect(slots.waiting).toBe(4)
  leave()
  await Promise.all(all)
  expect(order).toEqual(['urgent', 'first', 'second', 'late'])
})

test('as many run at once as there are places, and a place is given back once', async () => {
  const slots = new Slots()
  const first = await slots.enter(2, 0, free)
  await slots.enter(2, 0, free)
  const third = slots.enter(2, 0, free)
  await turn()
  expect(slots.waiting).toBe(1)
  first()
  first()
  await third
  const fourth = slots.enter(2, 0, free)
  await turn()
  expect(slots.waiting).toBe(1)
  void fourth.catch(() => undefined)
})

test('who gives up waits no longer and takes no place', async () => {
  const slots = new Slots()
  const leave = await slots.enter(1, 0, free)
  const stop = new AbortController()
  const waits = slots.enter(1, 0, stop.signal)
  stop.abort(new Error('not wanted'))
  await expect(waits).rejects.toThrow('not wanted')
  leave()
  await slots.enter(1, 0, free)
})
