import type { ObjectKey } from '../kinds/resource.ts'
import type { JsonObject } from '../lib/json.ts'
import type { ActualState } from './actual-state.ts'
import type { DeletionHistory, DeletionLimit } from './blast-radius.ts'
import type { ChangeSet } from './change-set.ts'
import type { DesiredState } from './desired-state.ts'
import type { EffectiveSpec } from './effective-spec.ts'

export interface PlanInput {
  readonly desired: DesiredState
  readonly actual: ActualState
  /** The objects to look at ({@link affectedBy}); null = all. */
  readonly scope: ReadonlySet<ObjectKey> | null
  readonly fromRevision: string | null
  readonly toRevision: string
  /** The oid of a file or directory of the repo at `toRevision`. */
  readonly fileOid: (path: string) => string | null
  readonly builtinToolSchema: (name: string) => JsonObject | null
  readonly deletionLimit: DeletionLimit
  readonly deletions: DeletionHistory
}

export interface Plan extends ChangeSet {
  /** What each created or updated object comes to. */
  readonly effective: ReadonlyMap<ObjectKey, EffectiveSpec>
  /** Unchanged objects whose document moved to another file or place. */
  readonly moved: readonly ObjectKey[]
  /** Objects that are blocked or skipped: to be looked at again with the next change. */
  readonly pending: ReadonlySet<ObjectKey>
  /** Digest of deletions that wait for `approve deletions`; null when none do. */
  readonly blockedDeletions: string | null
}
