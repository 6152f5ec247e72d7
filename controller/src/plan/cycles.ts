import type { ObjectKey } from '../kinds/resource.ts'

/**
 * The cycles that can be reached from the given objects, each once, starting at its smallest key:
 * `[a, b, c]` means a → b → c → a. Depth-first with the path kept, without recursion (graphs may be long chains).
 */
export function findCycles(starts: Iterable<ObjectKey>, edges: (key: ObjectKey) => readonly ObjectKey[]): ObjectKey[][] {
  const done = new Set<ObjectKey>()
  const cycles = new Map<string, ObjectKey[]>()
  for (const start of starts) {
    if (done.has(start)) continue
    const path: ObjectKey[] = []
    const onPath = new Map<ObjectKey, number>()
    const stack: { key: ObjectKey; next: number; targets: readonly ObjectKey[] }[] = []
    const enter = (key: ObjectKey) => {
      onPath.set(key, path.length)
      path.push(key)
      stack.push({ key, next: 0, targets: edges(key) })
    }
    enter(start)
    while (stack.length > 0) {
      const frame = stack.at(-1)!
      const target = frame.targets[frame.next++]
      if (target === undefined) {
        stack.pop()
        path.pop()
        onPath.delete(frame.key)
        done.add(frame.key)
      } else if (onPath.has(target)) {
        const cycle = rotated(path.slice(onPath.get(target)!))
        cycles.set(cycle.join(' '), cycle)
      } else if (!done.has(target)) enter(target)
    }
  }
  return [...cycles.values()]
}

function rotated(cycle: ObjectKey[]): ObjectKey[] {
  const smallest = cycle.indexOf([...cycle].sort()[0]!)
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)]
}
