import type { Issue } from '../../lib/issue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Change } from '../../plan/change-set.ts'
import type { ConditionSet } from '../../status/condition-set.ts'
import type { World, WorldObject } from '../world.ts'
import type { Outcome } from './outcome.ts'

/** What the phases of one reconcile share. */
export interface ReconcileContext {
  readonly key: string
  readonly object: WorldObject
  /** template ← object ← environment ← live overrides, with defaults. */
  readonly spec: JsonObject
  readonly world: World
  /** Suspended by Git or by an override. */
  readonly suspended: boolean
  /** Problems of the revision that was attempted last; the object stands on its last good one. */
  readonly issues: readonly Issue[]
  /** Why a newer revision of it waits, or is denied; null when none does. */
  readonly held: Pick<Change, 'reason' | 'message'> | null
  readonly conditions: ConditionSet
  /** The status' own fields; what is set here replaces what was there. */
  readonly fields: Record<string, unknown>
  /** What Ready says when nothing speaks against it. */
  ready: { readonly reason: 'Succeeded' | 'Progressing' | 'NotYetEnforced'; readonly message: string }
  readonly correlationId: string
  readonly now: Date
}

/** One step of a reconcile. Returns null to go on with the next phase. */
export type Phase = (context: ReconcileContext) => Outcome | null | Promise<Outcome | null>

/** How objects of one kind are brought to what was declared: a visible list of phases. */
export interface KindReconciler {
  readonly kind: string
  readonly phases: readonly Phase[]
  /** Takes back what the object stands for; `done` = confirmed gone. */
  readonly finalize: (context: ReconcileContext) => Outcome | Promise<Outcome>
}
