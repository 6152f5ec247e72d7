import type { JsonObject } from '../lib/json.ts'
import type { Condition } from './conditions.ts'

/** Who an object is: identity is (kind, namespace, name), the path of its file is not. `namespace` is '' for cluster-scoped kinds. */
export interface ObjectRef {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** `Agent/default/sre`, or `Host/local` for a cluster-scoped kind: the key of maps and of the work queue. */
export type ObjectKey = string

export function keyOf(ref: ObjectRef): ObjectKey {
  return ref.namespace === '' ? `${ref.kind}/${ref.name}` : `${ref.kind}/${ref.namespace}/${ref.name}`
}

export function refOf(key: ObjectKey): ObjectRef {
  const parts = key.split('/')
  return parts.length === 2
    ? { kind: parts[0]!, namespace: '', name: parts[1]! }
    : { kind: parts[0]!, namespace: parts[1]!, name: parts[2]! }
}

/** Where a document stands: the file in the state repo and its number there (from 0). */
export interface Origin {
  readonly file: string
  readonly document: number
  /** Pointer of the object in a document that holds several (`kind: List`): `/items/0`. */
  readonly base?: string
  /** Given by its source (a cluster); where it is absent the controller gives both. */
  readonly uid?: string
  readonly generation?: number
}

/** A document that passed its own schema: what Git wants. */
export interface Resource extends ObjectRef {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** As written: no defaults, no template, no files. */
  readonly spec: JsonObject
  /** sha256 of `spec` with sorted keys: a change moves `generation`, nothing else does. */
  readonly specDigest: string
  readonly origin: Origin
}

/** An object as people and the API see it (the Kubernetes envelope). */
export interface ObjectView {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly generation: number
    readonly resourceVersion: string
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: JsonObject
  readonly status: ObjectStatus
}

/** What every kind's status has. */
export interface ObjectStatus {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  readonly lastAppliedRevision?: string
  readonly lastAttemptedRevision?: string
  readonly lastHandledReconcileAt?: string
  readonly [field: string]: unknown
}
