import type { ObjectKey, ObjectRef } from '../../kinds/resource.ts'
import type { JsonObject } from '../../lib/json.ts'

/** A change of an object on its way, with both sides. */
export interface Moved extends ObjectRef {
  readonly key: ObjectKey
  readonly before: JsonObject | null
  readonly after: JsonObject | null
}

/** Merged specs with defaults, before and after; null = there is none on that side. */
export type SpecOf = (side: 'before' | 'after', key: ObjectKey) => JsonObject | null
