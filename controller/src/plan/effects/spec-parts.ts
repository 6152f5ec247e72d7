import { secretsNamedIn, secretText } from '../../kinds/secret-ref.ts'
import { isObject, type Json, type JsonObject } from '../../lib/json.ts'

/** The objects of a list; none when it is no list. */
export function objectsOf(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter((item): item is JsonObject => isObject(item)) : []
}

/** Every secret that a value names, as `name/key`. */
export function secretsOf(value: Json | null | undefined): string[] {
  return secretsNamedIn(value).map(secretText)
}
