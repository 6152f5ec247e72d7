import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findCycles } from './cycles.ts'

type Graph = Readonly<Record<string, readonly string[]>>
const cyclesOf = (graph: Graph) => findCycles(Object.keys(graph), (key) => graph[key] ?? [])

describe('findCycles', () => {
  test.each<[string, Graph, string[][]]>([
    ['nothing in a chain', { a: ['b'], b: ['c'] }, []],
    ['nothing where two ways meet', { a: ['b', 'c'], b: ['d'], c: ['d'] }, []],
    ['an object that names itself', { a: ['a'], b: ['a'] }, [['a']]],
    ['two that name each other, beginning at the smaller', { b: ['a'], a: ['b'] }, [['a', 'b']]],
    ['three in the order they name each other', { c: ['b'], b: ['a'], a: ['c'] }, [['a', 'c', 'b']]],
    [
      'two apart from each other',
      { a: ['b'], b: ['a'], x: ['y'], y: ['x'] },
      [
        ['a', 'b'],
        ['x', 'y'],
      ],
    ],
    [
      'both of two that share an object',
      { a: ['b', 'c'], b: ['a'], c: ['a'] },
      [
        ['a', 'b'],
        ['a', 'c'],
      ],
    ],
    [
      'the longer way round, too',
      { a: ['b', 'c'], b: ['a'], c: ['b'] },
      [
        ['a', 'b'],
        ['a', 'c', 'b'],
      ],
    ],
    ['what is only named, not given', { a: ['b'] }, []],
  ])('finds %s', (_what, graph, cycles) => {
    expect(cyclesOf(graph)).toEqual(cycles)
  })

  test('goes along chains and round circles of any length', () => {
    const next = (length: number, last: string[]) => (key: string) =>
      Number(key) === length - 1 ? last : [String(Number(key) + 1)]
    expect(findCycles(['0'], next(50_000, []))).toEqual([])
    expect(findCycles(['7'], next(50_000, ['0']))[0]).toHaveLength(50_000)
  })

  test('names every object that is on a cycle, and none else', () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    const graphs = fc.record(Object.fromEntries(keys.map((key) => [key, fc.subarray(keys)])), {
      noNullPrototype: true,
    }) as fc.Arbitrary<Graph>
    fc.assert(
      fc.property(graphs, (graph) => {
        const leadsTo = (from: string, to: string, seen = new Set<string>()): boolean =>
          graph[from]!.some((next) => next === to || (!seen.has(next) && leadsTo(next, to, seen.add(next))))
        const cycles = cyclesOf(graph)
        expect(new Set(cycles.flat())).toEqual(new Set(keys.filter((key) => leadsTo(key, key))))
        for (const cycle of cycles) {
          for (const [i, key] of cycle.entries()) expect(graph[key]).toContain(cycle[(i + 1) % cycle.length])
          expect(cycle[0]).toBe([...cycle].sort()[0])
        }
      }),
    )
  })
})
