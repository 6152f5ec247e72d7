import type { SpecProblem } from '../kinds/definition.ts'
import { problem } from './problem.ts'

/** Items of a list that say the same under `key`; `pointer` is the list's. */
export function duplicates(items: readonly object[], pointer: string, key: string): SpecProblem[] {
  const seen = new Set<unknown>()
  const list = pointer.slice(pointer.lastIndexOf('/') + 1)
  return items.flatMap((item, i) => {
    const value = (item as Record<string, unknown>)[key]
    if (!seen.has(value)) {
      seen.add(value)
      return []
    }
    const message = `${key} ${JSON.stringify(value)} is used twice in ${list}`
    return [problem('SW_BAD_VALUE', `${pointer}/${i}/${key}`, message, 'give each its own')]
  })
}
