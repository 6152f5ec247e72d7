import { digestOf } from '../../lib/digest.ts'
import type { Json, JsonObject } from '../../lib/json.ts'

const MAX_EVENT_OUTPUT_BYTES = 32 * 1024

/** A value as an event carries it: whole while it is small, else its digest and size; the row has it whole. */
export function carried(name: string, value: Json, bytes = Buffer.byteLength(JSON.stringify(value))): JsonObject {
  if (bytes <= MAX_EVENT_OUTPUT_BYTES) return { [name]: value }
  return { [`${name}_digest`]: digestOf(value), [`${name}_bytes`]: bytes }
}
