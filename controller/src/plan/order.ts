import type { ObjectKey } from '../kinds/resource.ts'

/**
 * Sorts keys so that what an object names comes before it; ties by key, so the order never depends on file names.
 * Keys on a cycle come last, in key order (they are blocked anyway).
 */
export function dependencyOrder(
  keys: readonly ObjectKey[],
  edges: (key: ObjectKey) => readonly ObjectKey[],
): ObjectKey[] {
  const wanted = new Set(keys)
  const waitingFor = new Map<ObjectKey, number>()
  const blocks = new Map<ObjectKey, ObjectKey[]>()
  for (const key of wanted) {
    const targets = new Set(edges(key).filter((target) => wanted.has(target) && target !== key))
    waitingFor.set(key, targets.size)
    for (const target of targets) {
      const waiting = blocks.get(target)
      if (waiting === undefined) blocks.set(target, [key])
      else waiting.push(key)
    }
  }
  let ready = [...wanted].filter((key) => waitingFor.get(key) === 0).sort()
  const ordered: ObjectKey[] = []
  while (ready.length > 0) {
    const next: ObjectKey[] = []
    for (const key of ready) {
      ordered.push(key)
      for (const blocked of blocks.get(key) ?? []) {
        const left = waitingFor.get(blocked)! - 1
        waitingFor.set(blocked, left)
        if (left === 0) next.push(blocked)
      }
    }
    ready = next.sort()
  }
  const placed = new Set(ordered)
  return [...ordered, ...[...wanted].filter((key) => !placed.has(key)).sort()]
}
