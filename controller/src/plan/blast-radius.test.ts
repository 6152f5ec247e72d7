import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blastRadius, DEFAULT_DELETION_LIMIT, type DeletionHistory } from './blast-radius.ts'

const agents = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `Agent/default/a${from + i}`)
const none: DeletionHistory = { recent: new Map(), approved: new Set() }
const limitOf = (deletions: string[], objects: number, history = none) =>
  blastRadius(deletions, () => objects, DEFAULT_DELETION_LIMIT, history)

describe('blastRadius', () => {
  test.each([
    [5, 5, 0],
    [6, 30, 0],
    [6, 29, 6],
    [20, 100, 0],
    [21, 100, 21],
  ])('of %d deletions among %d objects %d are stopped', (count, objects, stopped) => {
    expect(limitOf(agents(count), objects).blocked.size).toBe(stopped)
  })

  test('counts each kind for itself and says which exceed', () => {
    const hosts = ['Host/a', 'Host/b']
    const radius = blastRadius(
      [...agents(8), ...hosts],
      (kind) => (kind === 'Agent' ? 10 : 2),
      DEFAULT_DELETION_LIMIT,
      none,
    )
    expect([...radius.blocked]).toEqual(agents(8))
    expect(radius.message).toBe('deletes 8 of 10 objects of kind Agent, more than 20 % and more than 5')
  })

  test('splitting a deletion does not help', () => {
    const recent = new Map([['Agent', 5]])
    const radius = limitOf(agents(3, 5), 10, { recent, approved: new Set() })
    expect(radius.blocked.size).toBe(3)
    expect(radius.message).toContain('8 of 15 objects of kind Agent')
  })

  test('an approval lets exactly that set through', () => {
    const { digest } = limitOf(agents(8), 10)
    const approved = new Set([digest!])
    expect(limitOf(agents(8), 10, { recent: new Map(), approved }).blocked.size).toBe(0)
    expect(limitOf(agents(9), 10, { recent: new Map(), approved }).blocked.size).toBe(9)
    expect(limitOf(agents(8, 1), 10, { recent: new Map(), approved }).blocked.size).toBe(8)
  })

  test('a trailer lets through that number of stopped deletions and no other number', () => {
    const approved = new Set(['count:8'])
    expect(limitOf(agents(8), 10, { recent: new Map(), approved }).blocked.size).toBe(0)
    expect(limitOf(agents(7), 10, { recent: new Map(), approved }).blocked.size).toBe(7)
  })

  test('the digest does not depend on the order', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(agents(8), { minLength: 8 }),
        (order) => limitOf(order, 10).digest === limitOf(agents(8), 10).digest,
      ),
    )
  })
})
