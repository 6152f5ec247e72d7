import type { Json } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { DriftRow } from '../../store/queries/drifts.ts'
import type { ReconcileContext } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

/** One difference between what is and what Git says, with no commit about it. */
export interface Drift {
  /** A pointer into the object, or a path of the state repo; what differs is found again by it. */
  readonly field: string
  /** Null = it is not there. */
  readonly live: Json | null
  readonly declared: Json | null
  /** For people: `spec.replicas is 1, Git says 2`. */
  readonly detail: string
  readonly by: string | null
}

/** What a commit has to change so that Git says what is live; `text` null = the file goes. */
export type Adoption =
  | { readonly edits: readonly { readonly field: string; readonly value: Json | undefined }[] }
  | { readonly file: string; readonly text: string | null }
  /** It has a way of its own; null = nothing can be proposed from here. */
  | { readonly propose: (caller: DriftCaller) => Promise<Proposed | null> }

export interface Proposed {
  readonly branch: string | null
  readonly commit: string
}

export interface DriftCaller {
  readonly actor: string
  readonly correlationId: string
}

/**
 * One kind of live state that can be another than Git says. Whatever is to be watched in addition is one more of these in
 * `build/drift.ts`: the condition, the list, events, verbs and routes come by themselves.
 */
export interface DriftSource {
  /** `override`, `replicas`, `file` …: a word of the list. */
  readonly name: string
  /** What differs of an object now; called at the end of each of its reconciles, so it has to be quick. */
  find(context: ReconcileContext): readonly Drift[] | Promise<readonly Drift[]>
  /** Why what is live cannot be put back from here; left out, it can. */
  readonly cannotEnforce?: string
  /** What putting it back means in the database; with the events to tell. */
  enforce?(tx: Tx, object: WorldObject, drift: DriftRow, caller: DriftCaller): Promise<readonly NewEvent[]>
  /** What it means everywhere else: called with each reconcile until the difference is gone. Repeatable. */
  restore?(object: WorldObject, drift: DriftRow): Promise<void>
  /** Throws SW_CONFLICT when Git has no place for it. */
  adoption(object: WorldObject, drift: DriftRow): Adoption | Promise<Adoption>
}
