import dagre from '@dagrejs/dagre'
import type { RunGraphNode } from '../../api/reads.ts'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface PlacedNode extends Box {
  readonly node: RunGraphNode
  /** It holds others: a loop or a call. */
  readonly isGroup: boolean
  readonly depth: number
}

export interface PlacedEdge {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface GraphLayout {
  readonly width: number
  readonly height: number
  /** Groups before what is inside of them. */
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly PlacedEdge[]
}

export type Direction = 'LR' | 'TB'

export const NODE = { width: 186, height: 58 } as const
const GROUP = { head: 40, pad: 14 } as const
const MARGIN = 14

/**
 * Places the steps of a run: each after those it waits for, in `direction`, and what a loop or a call holds inside of its
 * own box. A container is laid out by itself first, and is one large node where it stands. Pure.
 */
export function layoutGraph(nodes: readonly RunGraphNode[], direction: Direction): GraphLayout {
  const inside = Map.groupBy(nodes, ({ container }) => container)
  const laid = layoutInside(inside, null, direction, 0)
  return {
    width: laid.width + 2 * MARGIN,
    height: laid.height + 2 * MARGIN,
    nodes: laid.nodes.map((placed) => moved(placed, MARGIN, MARGIN)),
    edges: laid.edges.map((edge) => movedEdge(edge, MARGIN, MARGIN)),
  }
}

type Inside = ReadonlyMap<string | null, readonly RunGraphNode[]>

function layoutInside(inside: Inside, container: string | null, direction: Direction, depth: number): GraphLayout {
  const own = inside.get(container) ?? []
  const groups = new Map<string, GraphLayout>()
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: direction, nodesep: 18, ranksep: direction === 'LR' ? 36 : 30, marginx: 0, marginy: 0 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of own) {
    const isGroup = inside.has(node.path)
    if (isGroup) groups.set(node.path, layoutInside(inside, node.path, direction, depth + 1))
    graph.setNode(node.path, sizeOf(groups.get(node.path)))
  }
  for (const node of own) {
    for (const before of node.waits_for) if (graph.hasNode(before)) graph.setEdge(before, node.path)
  }
  if (own.length > 0) dagre.layout(graph)
  const placed: PlacedNode[] = []
  const edges: PlacedEdge[] = []
  for (const node of own) {
    const { x, y, width, height } = graph.node(node.path) as Box
    const box = { x: x - width / 2, y: y - height / 2, width, height }
    const group = groups.get(node.path)
    placed.push({ ...box, node, isGroup: group !== undefined, depth })
    if (group === undefined) continue
    const [dx, dy] = [box.x + GROUP.pad, box.y + GROUP.head]
    placed.push(...group.nodes.map((each) => moved(each, dx, dy)))
    edges.push(...group.edges.map((each) => movedEdge(each, dx, dy)))
  }
  for (const { v, w } of graph.edges()) {
    const { points = [] } = graph.edge(v, w) as { points?: { x: number; y: number }[] }
    edges.push({ id: `${v} ${w}`, from: v, to: w, points })
  }
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { width: finite(width), height: finite(height), nodes: placed, edges }
}

/** The size of an empty graph is minus infinity. */
const finite = (size: number): number => (Number.isFinite(size) ? Math.max(0, size) : 0)

function sizeOf(group: GraphLayout | undefined): { width: number; height: number } {
  if (group === undefined) return { ...NODE }
  return {
    width: Math.max(NODE.width, group.width + 2 * GROUP.pad),
    height: GROUP.head + group.height + GROUP.pad,
  }
}

const moved = (placed: PlacedNode, dx: number, dy: number): PlacedNode => ({
  ...placed,
  x: placed.x + dx,
  y: placed.y + dy,
})

const movedEdge = (edge: PlacedEdge, dx: number, dy: number): PlacedEdge => ({
  ...edge,
  points: edge.points.map(({ x, y }) => ({ x: x + dx, y: y + dy })),
})

/**
 * An edge as the path of an SVG: it leaves a box in the middle of the side it goes on at, and comes to the middle of the other
 * one's; between them it keeps clear of what the layout leads it around. Pure.
 */
export function edgePath(from: Box, to: Box, points: PlacedEdge['points'], direction: Direction): string {
  const start =
    direction === 'LR'
      ? { x: from.x + from.width, y: from.y + from.height / 2 }
      : { x: from.x + from.width / 2, y: from.y + from.height }
  const end = direction === 'LR' ? { x: to.x, y: to.y + to.height / 2 } : { x: to.x + to.width / 2, y: to.y }
  // The first and the last are where the straight line would meet the boxes.
  const way = [start, ...points.slice(1, -1), end]
  let path = `M${round(start.x)},${round(start.y)}`
  for (let at = 1; at < way.length; at++) {
    const [a, b] = [way[at - 1]!, way[at]!]
    const half = direction === 'LR' ? (b.x - a.x) / 2 : (b.y - a.y) / 2
    path +=
      direction === 'LR'
        ? ` C${round(a.x + half)},${round(a.y)} ${round(b.x - half)},${round(b.y)} ${round(b.x)},${round(b.y)}`
        : ` C${round(a.x)},${round(a.y + half)} ${round(b.x)},${round(b.y - half)} ${round(b.x)},${round(b.y)}`
  }
  return path
}

/** How much smaller the whole is drawn, so that it fits where it is shown; never so small that nobody could read it. */
export function fitScale(width: number, available: number, smallest: number): number {
  return available <= 0 || width <= available ? 1 : Math.max(smallest, available / width)
}

const round = (value: number): number => Math.round(value * 10) / 10
