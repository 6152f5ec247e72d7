import { isObject, type Json, pointerKeys } from '../lib/json.ts'

const REDACTED = '[redacted]'

/** A value with the parts at these pointers replaced; `*` stands for every member or item. What is not there is no problem. */
export function withoutParts(value: Json, pointers: readonly string[]): Json {
  return pointers.reduce((left, pointer) => replaced(left, pointerKeys(pointer)), value)
}

function replaced(value: Json, keys: readonly string[]): Json {
  const [key, ...rest] = keys
  if (key === undefined) return REDACTED
  if (Array.isArray(value))
    return value.map((item, i) => (key === '*' || key === String(i) ? replaced(item, rest) : item))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      key === '*' || key === name ? replaced(member as Json, rest) : (member as Json),
    ]),
  )
}
