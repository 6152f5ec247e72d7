import { canonicalJson } from './digest.ts'
import { isObject, type Json } from './json.ts'

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

/** The merge patch that makes `to` of `from`; undefined when they are equal. A null inside `to` is the same as nothing. */
export function mergePatchBetween(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to))
    return canonicalJson(from as Json) === canonicalJson(to as Json) ? undefined : to
  const patch: [string, unknown][] = []
  for (const key of Object.keys(from))
    if (ownValue(to, key) == null && ownValue(from, key) != null) patch.push([key, null])
  for (const [key, value] of Object.entries(to)) {
    if (value === null || value === undefined) continue
    const change = Object.hasOwn(from, key) ? mergePatchBetween(from[key], value) : value
    if (change !== undefined) patch.push([key, change])
  }
  return patch.length === 0 ? undefined : Object.fromEntries(patch)
}
