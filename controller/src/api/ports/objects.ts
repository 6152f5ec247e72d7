import type { ObjectRef, ObjectView } from '../../kinds/resource.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Capability } from '../../tools/ports.ts'
import type { Caller } from '../caller.ts'

/** What a suspend or resume left behind. */
export interface OverrideResult {
  /** Branch that carries the same change as a commit; null when no commit was needed. */
  readonly branch: string | null
  readonly commit: string | null
  /** The commit is already on the protected ref. */
  readonly merged: boolean
}

export interface ObjectVerbs {
  /** Queues an object (`null` = the sources) for a reconcile now. */
  reconcile(ref: ObjectRef | null, caller: Caller): Promise<{ readonly requestedAt: string }>
  suspend(
    ref: ObjectRef,
    options: { readonly reason: string | null; readonly expiresAt: Date | null; readonly merge: boolean },
    caller: Caller,
  ): Promise<OverrideResult>
  resume(ref: ObjectRef, options: { readonly merge: boolean }, caller: Caller): Promise<OverrideResult>
}

export interface ObjectViews {
  /** Read-only objects of a kind that nobody declared: built-in tools, machines that joined. */
  builtin(kind: string): Promise<readonly ObjectView[]>
  /** Every tool that plans of a namespace may call. */
  capabilities(namespace: string): readonly Capability[]
  /** Pids, heartbeat times and counters that no status write carries, by uid, merged over the stored status. */
  liveStatus(kind: string, uids: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>>
  /** The spec that is acted on: with what it inherits, what was set live, and defaults; null for what is not declared. */
  effective(ref: ObjectRef): JsonObject | null
}
