import { isObject } from './json.ts'

/** RFC 7396: maps merge, lists and scalars replace, `null` removes. Neither argument is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (key !== '__proto__') result[key] = mergePatch(ownValue(result, key), value)
    // Defined, not assigned: that would change the prototype instead.
    else
      Object.defineProperty(result, key, {
        value: mergePatch(ownValue(result, key), value),
        writable: true,
        enumerable: true,
        configurable: true,
      })
  }
  return result
}

function ownValue(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
