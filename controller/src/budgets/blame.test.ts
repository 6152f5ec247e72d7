import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blame, type SpentByRevision } from './blame.ts'

const spent = (revision: string, amount: bigint, runs: number, day: number, name = 'fix'): SpentByRevision => ({
  kind: 'Blueprint',
  namespace: 'default',
  name,
  revision,
  actor: 'user:ada',
  amount,
  runs,
  first: new Date(Date.UTC(2026, 0, day)),
})

test('a commit is blamed for what its runs cost more than those before', () => {
  const found = blame([
    spent('b', 600n, 20, 2),
    spent('a', 100n, 10, 1),
    spent('c', 50n, 10, 3),
    spent('x', 90n, 1, 1, 'other'),
  ])
  expect(found.map(({ revision, perRun, perRunBefore, added }) => [revision, perRun, perRunBefore, added])).toEqual([
    ['b', 30n, 10n, 400n],
    ['a', 10n, null, 100n],
    ['x', 90n, null, 90n],
    ['c', 5n, 30n, -250n],
  ])
})

test('nothing is left out and nothing counted twice', () => {
  const one = fc.record({
    amount: fc.bigInt({ min: 0n, max: 10n ** 15n }),
    runs: fc.integer({ min: 1, max: 1000 }),
    day: fc.integer({ min: 1, max: 28 }),
    name: fc.constantFrom('a', 'b'),
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 20 }), (list) => {
      const all = list.map(({ amount, runs, day, name }, i) => spent(`r${i}`, amount, runs, day, name))
      const found = blame(all)
      expect(found.map(({ revision }) => revision).sort()).toEqual(all.map(({ revision }) => revision).sort())
      expect(found.reduce((sum, { amount }) => sum + amount, 0n)).toBe(
        all.reduce((sum, { amount }) => sum + amount, 0n),
      )
      for (const { perRun, runs, amount } of found) expect(perRun * BigInt(runs)).toBeLessThanOrEqual(amount)
    }),
  )
})
