import type { ObjectRef } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import type { Json } from '../lib/json.ts'

/** The one vocabulary of changes: printed by `plan`, the pull request, the API, the UI and the controller's own log. */
export const ACTIONS = ['create', 'update', 'unchanged', 'delete', 'skip', 'blocked'] as const
export type Action = (typeof ACTIONS)[number]

export interface FieldChange {
  readonly op: 'add' | 'remove' | 'replace'
  /** JSON pointer from the document's root, e.g. `/spec/replicas`. */
  readonly pointer: string
  readonly from?: Json
  readonly to?: Json
}

export interface Change extends ObjectRef {
  readonly action: Action
  /** Why it is skipped or blocked (a condition reason), or what else made it change (`AgentTemplate/default/engineer`). */
  readonly reason?: string
  readonly message?: string
  readonly fields: readonly FieldChange[]
  /** Effective digests: what was decided, before and after. */
  readonly fromDigest: string | null
  readonly toDigest: string | null
  readonly file?: string
  /** The kind is accepted but not enforced yet. */
  readonly notYetEnforced?: boolean
  /** What is blocked only because nobody who may has agreed to it would be this. */
  readonly held?: 'create' | 'update' | 'delete'
  /** Whom policies and owners of paths ask, and who has agreed. */
  readonly approval?: {
    readonly asks: readonly { readonly min: number; readonly fromAnyOf: readonly string[]; readonly by: string }[]
    readonly approvers: readonly string[]
    readonly rejectedBy: string | null
  }
  /** What the policies that are asked say of it, and which of them; left out where none is about it. */
  readonly verdict?: {
    readonly effect: 'allow' | 'deny' | 'require_approval'
    readonly by: string
    /** A rule lets a proposal of it land by itself. */
    readonly autoMerge?: true
  }
  /** What policies that only record would have decided. */
  readonly advisory?: readonly string[]
}

export type Counts = Readonly<Record<Action, number>>

export interface ChangeSet {
  /** null when nothing was applied before. */
  readonly fromRevision: string | null
  readonly toRevision: string
  /** In the order they are applied: by dependency, deletions last and in reverse. Unchanged objects are only counted. */
  readonly changes: readonly Change[]
  readonly counts: Counts
  readonly issues: readonly Issue[]
  /** Documents of other API groups and plain files, ignored. */
  readonly ignored: number
  readonly digest: string
}
