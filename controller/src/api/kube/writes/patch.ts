import { immutableJSONPatch, type JSONPatchDocument } from 'immutable-json-patch'
import { fail } from '../../../lib/error-catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { mergePatch } from '../../../lib/merge-patch.ts'
import { objectOfBody } from './sent-object.ts'

/** The media types of patches that are read. */
export const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const MAX_OPERATIONS = 10_000

/**
 * An object as a patch makes it. An apply is a merge: who applied which field is not kept, so that leaving a field out of an
 * apply does not take it away. Throws SW_BAD_REQUEST.
 */
export function patchedObject(object: JsonObject, body: unknown, type: string): JsonObject {
  if (type !== PATCH_TYPES.json) return mergePatch(object, objectOfBody(body)) as JsonObject
  if (!Array.isArray(body) || body.length > MAX_OPERATIONS)
    throw fail('SW_BAD_REQUEST', `the body is no list of at most ${MAX_OPERATIONS} operations`)
  try {
    return immutableJSONPatch(object, body as JSONPatchDocument) as JsonObject
  } catch (error) {
    throw fail('SW_BAD_REQUEST', `the JSON patch cannot be applied: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    })
  }
}
