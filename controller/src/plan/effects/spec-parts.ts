import { isObject, type Json, type JsonObject } from '../../lib/json.ts'

/** The objects of a list; none when it is no list. */
export function objectsOf(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter((item): item is JsonObject => isObject(item)) : []
}

/** Every secret that a value names, as `name/key`. */
export function secretsOf(value: Json | null | undefined): string[] {
  const found = new Set<string>()
  walk(value)
  return [...found].sort()

  function walk(at: unknown): void {
    if (Array.isArray(at)) at.forEach(walk)
    else if (isObject(at)) {
      const { secretRef } = at
      if (isObject(secretRef) && typeof secretRef['name'] === 'string')
        found.add(`${secretRef['name']}/${String(secretRef['key'] ?? '')}`)
      Object.values(at).forEach(walk)
    }
  }
}
