import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dependencyOrder } from './order.ts'

test('puts what is named before what names it, and else sorts by key', () => {
  const edges: Record<string, string[]> = { a: ['z'], b: [], z: ['y', 'elsewhere'] }
  expect(dependencyOrder(['b', 'a', 'z', 'y'], (key) => edges[key] ?? [])).toEqual(['b', 'y', 'z', 'a'])
})

test('objects on a cycle come last', () => {
  const edges: Record<string, string[]> = { a: ['b'], b: ['a'], c: ['a'], d: ['d'] }
  expect(dependencyOrder(['a', 'b', 'c', 'd'], (key) => edges[key] ?? [])).toEqual(['d', 'a', 'b', 'c'])
})

test('respects every reference, keeps every key once, and does not depend on the order it was given', () => {
  const keys = Array.from({ length: 12 }, (_, i) => `k${String(i).padStart(2, '0')}`)
  // Only to smaller numbers: no cycles.
  const graphs = fc.tuple(...keys.map((_, i) => fc.subarray(keys.slice(0, i))))
  fc.assert(
    fc.property(graphs, fc.shuffledSubarray(keys), (targets, wanted) => {
      const edges = (key: string) => targets[keys.indexOf(key)]!
      const order = dependencyOrder(wanted, edges)
      expect([...order].sort()).toEqual([...wanted].sort())
      expect(order).toEqual(dependencyOrder([...wanted].reverse(), edges))
      for (const key of wanted)
        for (const target of edges(key))
          if (wanted.includes(target)) expect(order.indexOf(target)).toBeLessThan(order.indexOf(key))
    }),
  )
})
