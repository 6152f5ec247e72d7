import { Optional } from '@marcbachmann/cel-js'
import type { Json } from '../lib/json.ts'

/** A result that JSON cannot hold. */
class NotJson extends Error {}

/**
 * CEL's values as JSON: an int becomes a number (beyond 2^53 an error, since it would silently change), bytes base64, a timestamp
 * ISO 8601, a duration its seconds with `s`, an empty optional null.
 */
export function toJson(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw new NotJson(`the result is ${value}, which JSON cannot hold`)
      return value
    case 'bigint':
      if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
        throw new NotJson(`the integer ${value} is beyond 2^53, where JSON numbers lose digits; use string(…)`)
      }
      return Number(value)
    case 'object':
      return value === null ? null : objectToJson(value)
    default:
      throw new NotJson(`the result is a ${typeof value}`)
  }
}

function objectToJson(value: object): Json {
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Optional) return value.hasValue() ? toJson(value.value()) : null
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof Set) return [...value].map(toJson)
  if (value instanceof Map) return entriesToJson([...value.entries()])
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return entriesToJson(Object.entries(value))
  // What is left are the library's own classes: an unsigned int, a duration, a type.
  if ('seconds' in value && 'nanos' in value) return `${Number(value.seconds) + Number(value.nanos) / 1e9}s`
  const primitive: unknown = value.valueOf()
  if (primitive !== value) return toJson(primitive)
  if ('name' in value && typeof value.name === 'string') return value.name
  throw new NotJson('the result is of a type that JSON cannot hold')
}

function entriesToJson(entries: readonly (readonly [unknown, unknown])[]): Json {
  return Object.fromEntries(entries.map(([key, member]) => [String(key), toJson(member)]))
}
