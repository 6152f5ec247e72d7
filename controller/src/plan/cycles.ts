import type { ObjectKey } from '../kinds/resource.ts'

type Edges = (key: ObjectKey) => readonly ObjectKey[]

/**
 * Cycles among what can be reached from the given objects: every object that is on any cycle is on at least one of the
 * answers, and each answer is a shortest one through one of its objects. `[a, b, c]` means a → b → c → a, starting at its
 * smallest key. Without recursion: graphs may be long chains.
 */
export function findCycles(starts: Iterable<ObjectKey>, edges: Edges): ObjectKey[][] {
  const cycles = new Map<string, ObjectKey[]>()
  for (const component of components(starts, edges)) {
    const shown = new Set<ObjectKey>()
    for (const key of [...component].sort()) {
      if (shown.has(key)) continue
      const cycle = shortestCycle(key, component, edges)
      if (cycle === null) continue
      for (const member of cycle) shown.add(member)
      const turned = rotated(cycle)
      cycles.set(turned.join(' '), turned)
    }
  }
  return [...cycles.values()]
}

interface Frame {
  readonly key: ObjectKey
  readonly number: number
  readonly targets: readonly ObjectKey[]
  next: number
  low: number
}

/** Strongly connected components (Tarjan), each a set of objects that all lead to each other. */
function components(starts: Iterable<ObjectKey>, edges: Edges): ReadonlySet<ObjectKey>[] {
  const found: ReadonlySet<ObjectKey>[] = []
  const numbers = new Map<ObjectKey, number>()
  const open: ObjectKey[] = []
  const isOpen = new Set<ObjectKey>()
  const enter = (key: ObjectKey): Frame => {
    const number = numbers.size
    numbers.set(key, number)
    open.push(key)
    isOpen.add(key)
    return { key, number, targets: edges(key), next: 0, low: number }
  }
  for (const start of starts) {
    if (numbers.has(start)) continue
    const stack = [enter(start)]
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const target = frame.targets[frame.next++]
      if (target !== undefined) {
        const number = numbers.get(target)
        if (number === undefined) stack.push(enter(target))
        else if (isOpen.has(target)) frame.low = Math.min(frame.low, number)
        continue
      }
      stack.pop()
      const parent = stack.at(-1)
      if (parent !== undefined) parent.low = Math.min(parent.low, frame.low)
      if (frame.low !== frame.number) continue
      // Nearly every object is a component of its own, and no cycle unless it names itself.
      if (open.at(-1) === frame.key) {
        open.pop()
        isOpen.delete(frame.key)
        if (frame.targets.includes(frame.key)) found.push(new Set([frame.key]))
      } else {
        const component = new Set(open.splice(open.lastIndexOf(frame.key)))
        for (const key of component) isOpen.delete(key)
        found.push(component)
      }
    }
  }
  return found
}

/** A shortest way from an object back to itself, without leaving its component; null when there is none. */
function shortestCycle(start: ObjectKey, component: ReadonlySet<ObjectKey>, edges: Edges): ObjectKey[] | null {
  const cameFrom = new Map<ObjectKey, ObjectKey>()
  let front = [start]
  while (front.length > 0) {
    const next: ObjectKey[] = []
    for (const key of front) {
      for (const target of edges(key)) {
        if (target === start) return wayTo(key, start, cameFrom)
        if (!component.has(target) || cameFrom.has(target)) continue
        cameFrom.set(target, key)
        next.push(target)
      }
    }
    front = next
  }
  return null
}

function wayTo(end: ObjectKey, start: ObjectKey, cameFrom: ReadonlyMap<ObjectKey, ObjectKey>): ObjectKey[] {
  const way = [end]
  for (let key = end; key !== start; way.push(key)) key = cameFrom.get(key)!
  return way.reverse()
}

function rotated(cycle: ObjectKey[]): ObjectKey[] {
  const smallest = cycle.indexOf([...cycle].sort()[0]!)
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)]
}
