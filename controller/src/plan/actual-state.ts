import type { ObjectKey, ObjectRef } from '../kinds/resource.ts'
import type { JsonObject } from '../lib/json.ts'

/** An object as it was last accepted: the planner's "before". */
export interface ActualObject extends ObjectRef {
  readonly uid: string
  readonly generation: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: JsonObject
  readonly specDigest: string
  readonly effectiveDigest: string
  readonly file: string
  readonly document: number
  readonly oid: string
  /** Removed from Git, not confirmed gone yet. */
  readonly deleting: boolean
}

export type ActualState = ReadonlyMap<ObjectKey, ActualObject>
