import { isObject, type JsonObject } from '../../lib/json.ts'

/** What others wrote, looked at field by field: what is not of the type it should be is not there. */

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
export const objectOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {})
export const objectsIn = (value: unknown): Record<string, unknown>[] => listOf(value).filter(isObject)
export const countOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null

/** JSON text that should be an object; what is none is kept as it came. */
export function objectIn(text: string): JsonObject {
  try {
    const value: unknown = text.trim() === '' ? {} : JSON.parse(text)
    return isObject(value) ? (value as JsonObject) : { value: value as JsonObject }
  } catch {
    return { malformed: text }
  }
}
