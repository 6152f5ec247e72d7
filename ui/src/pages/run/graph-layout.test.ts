import { describe, expect, it } from 'vitest'
import type { RunGraphNode } from '../../api/reads.ts'
import { edgePath, fitScale, layoutGraph, NODE } from './graph-layout.ts'

const node = (path: string, waits: readonly string[] = [], container: string | null = null): RunGraphNode => ({
  ...{ path, step_id: null, container, iteration: null, name: path, kind: 'transform', does: null },
  ...{ condition_expression: null, place: null, waits_for: waits, undo: null, status: 'created', attempt: 1 },
  ...{ max_attempts: 1, started_at: null, completed_at: null, next_attempt_at: null, error: null, condition: null },
  iterations: null,
})
const placedOf = (layout: ReturnType<typeof layoutGraph>) => new Map(layout.nodes.map((each) => [each.node.path, each]))

describe('the layout of a run', () => {
  it('puts a step behind those it waits for, in either direction', () => {
    const steps = [node('a'), node('b', ['a']), node('c', ['a']), node('d', ['b', 'c'])]
    const wide = placedOf(layoutGraph(steps, 'LR'))
    expect(wide.get('a')!.x).toBeLessThan(wide.get('b')!.x)
    expect(wide.get('b')!.x).toBe(wide.get('c')!.x)
    expect(wide.get('b')!.y).not.toBe(wide.get('c')!.y)
    expect(wide.get('c')!.x).toBeLessThan(wide.get('d')!.x)
    const tall = placedOf(layoutGraph(steps, 'TB'))
    expect(tall.get('a')!.y).toBeLessThan(tall.get('d')!.y)
  })

  it('puts what a loop holds inside of its box, and nothing on top of something else', () => {
    const steps = [
      node('a'),
      node('each', ['a']),
      node('each[0].fix', [], 'each'),
      node('each[1].fix', [], 'each'),
      node('z', ['each']),
    ]
    const layout = layoutGraph(steps, 'LR')
    const placed = placedOf(layout)
    const group = placed.get('each')!
    expect(group.isGroup).toBe(true)
    for (const path of ['each[0].fix', 'each[1].fix']) {
      const inner = placed.get(path)!
      expect(inner.x).toBeGreaterThan(group.x)
      expect(inner.y).toBeGreaterThan(group.y)
      expect(inner.x + inner.width).toBeLessThan(group.x + group.width)
      expect(inner.y + inner.height).toBeLessThanOrEqual(group.y + group.height)
    }
    expect(Math.abs(placed.get('each[0].fix')!.y - placed.get('each[1].fix')!.y)).toBeGreaterThanOrEqual(NODE.height)
    expect(placed.get('z')!.x).toBeGreaterThan(group.x + group.width)
    expect(layout.width).toBeGreaterThanOrEqual(placed.get('z')!.x + NODE.width)
  })

  it('has an edge for every wait between steps that are there, and is empty without steps', () => {
    const { edges } = layoutGraph([node('a'), node('b', ['a', 'gone'])], 'LR')
    expect(edges.map(({ from, to }) => [from, to])).toEqual([['a', 'b']])
    expect(edges[0]!.points.length).toBeGreaterThan(1)
    expect(layoutGraph([], 'LR')).toMatchObject({ nodes: [], edges: [] })
  })
})

describe('the path of an edge', () => {
  const [from, to] = [
    { x: 0, y: 0, width: 100, height: 40 },
    { x: 200, y: 100, width: 100, height: 40 },
  ]

  it('leaves in the middle of a side and ends in the middle of the other one', () => {
    expect(edgePath(from, to, [], 'LR')).toBe('M100,20 C150,20 150,120 200,120')
    expect(edgePath(from, to, [], 'TB')).toBe('M50,40 C50,70 250,70 250,100')
  })

  it('goes by the points between the first and the last', () => {
    const points = [
      { x: 90, y: 20 },
      { x: 150, y: 70 },
      { x: 210, y: 110 },
    ]
    expect(edgePath(from, to, points, 'LR')).toContain('150,70')
  })
})

describe('the scale of a graph', () => {
  it('lets it fit, as long as it can be read', () => {
    expect([fitScale(500, 1_000, 0.7), fitScale(1_000, 800, 0.7), fitScale(1_000, 300, 0.7)]).toEqual([1, 0.8, 0.7])
    expect(fitScale(1_000, 0, 0.7)).toBe(1)
  })
})
