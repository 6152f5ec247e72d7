import { expect, it } from 'vitest'
import { createHeldBack } from './held-back.ts'

it('tells once that a blueprint is held back, and once that it is not', () => {
  const changed: string[] = []
  const held = createHeldBack((uid) => changed.push(uid))
  held.set('events', 'a', 'full')
  held.set('events', 'a', 'full')
  held.set('schedules', 'a', 'full')
  expect(held.of('a')).toBe('events are held back; full')
  held.set('events', 'a', null)
  expect(held.of('a')).toBe('schedules are held back; full')
  held.set('schedules', 'a', null)
  held.set('schedules', 'a', null)
  expect(held.of('a')).toBeNull()
  expect(changed).toEqual(['a', 'a', 'a'])
})
