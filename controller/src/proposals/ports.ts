import type { Issue } from '../lib/issue.ts'
import type { JsonObject } from '../lib/json.ts'
import type { GovernedPlan } from '../plan/approvals/hold.ts'
import type { ChangeSet } from '../plan/change-set.ts'
import type { PlannedEffects } from '../plan/effects/effects-of.ts'
import type { Store } from '../store/store.ts'
import type { Forge } from './forges/ports.ts'

interface Identity {
  readonly name: string
  readonly email: string
}

interface CommitFacts {
  readonly oid: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Identity
  readonly committer: Identity
  readonly message: string
}

/** One file of a change; null = it is not there on that side. */
export interface ChangedEntry {
  readonly path: string
  readonly from: { readonly oid: string; readonly mode: string } | null
  readonly to: { readonly oid: string; readonly mode: string } | null
}

/** The part of the state repo's GitRepository that a commit of a proposal is written with. */
export interface ProposalRepository {
  resolve(revision: string): Promise<string | null>
  readFile(ref: string, path: string, options: { readonly maxBytes: number }): Promise<Uint8Array | null>
  writeCommit(request: {
    readonly ref: string
    readonly parent: string | null
    readonly expected: string | null
    /** null deletes. */
    readonly files: ReadonlyMap<string, string | null>
    readonly message: string
    readonly author: Identity
    readonly committer: Identity
    readonly time: Date
  }): Promise<string>
}

/** The part of it that proposals are looked at, landed and closed with. */
export interface ProposalBranches extends ProposalRepository {
  refs(prefix: string): Promise<ReadonlyMap<string, string>>
  commit(oid: string): Promise<CommitFacts>
  mergeBase(a: string, b: string): Promise<string | null>
  isAncestor(ancestor: string, descendant: string): Promise<boolean>
  diff(fromTree: string | null, toTree: string): Promise<readonly ChangedEntry[]>
  readBlobs(
    oids: readonly string[],
    options: { readonly maxBytes: number },
  ): AsyncIterable<{ readonly oid: string; readonly size: number; readonly bytes: Uint8Array | null }>
  mergeTrees(ours: string, theirs: string): Promise<{ readonly tree: string; readonly conflicts: readonly string[] }>
  commitTree(request: {
    readonly tree: string
    readonly parents: readonly string[]
    readonly message: string
    readonly author: Identity
    readonly committer: Identity
    readonly time: Date
  }): Promise<string>
  moveRef(request: {
    readonly ref: string
    readonly to: string | null
    readonly expected: string | null
  }): Promise<void>
  patch(
    from: string,
    to: string,
    options: { readonly maxBytes: number },
  ): Promise<{ readonly text: string; readonly truncated: boolean }>
  fetch(remote: {
    readonly url: string
    readonly refspecs: readonly string[]
    readonly timeoutMs: number
  }): Promise<void>
  push(remote: {
    readonly url: string
    readonly refspecs: readonly string[]
    readonly timeoutMs: number
  }): Promise<void>
}

/** What a proposal would do to what is on the protected branch. */
export interface ProposalPlan {
  readonly plan: ChangeSet & PlannedEffects & Pick<GovernedPlan, 'asked'>
  /** Those of `plan.issues` that the protected branch does not have. */
  readonly newIssues: readonly Issue[]
  /** The plan as it is stored and shown. */
  readonly json: JsonObject
}

/** What merging a proposal comes to. */
export interface ProposedMerge {
  /** Head of the protected branch. */
  readonly onto: string
  readonly head: string
  readonly tree: string
  /** Everybody who brought commits of it here. */
  readonly proposedBy: readonly string[]
}

/** What an agent may change in the state repo. */
export interface WorkspaceLimits {
  /** Globs of paths from the root of the repository; null = any. */
  readonly allowedPaths: readonly string[] | null
  readonly maxChangedFiles: number | null
}

export interface ProposalDeps {
  readonly store: Store
  /** Only the holder of this lease writes to Git. */
  readonly lease: string
  readonly repository: ProposalBranches
  /** Null for a repository on this machine. */
  readonly remoteUrl: string | null
  /** Full name of the protected ref. */
  readonly ref: string
  /** The source's directory in the repository, `.` = its root. */
  readonly folder: string
  /** Plans the tree that merging `head` into `onto` comes to. */
  readonly plan: (merge: ProposedMerge) => Promise<ProposalPlan>
  /** Null: there is no such agent any more, so nothing limits it but that nobody vouches for it. */
  readonly limitsOf: (namespace: string, agent: string) => WorkspaceLimits | null
  /** How long a proposal stays open without a new commit. */
  readonly expireAfterMs: number
  /** The commit that was applied last: its policies and people are asked. */
  readonly applied: () => string | null
  /** Where proposals are pull requests, too; null = nowhere. */
  readonly forge: Pick<Forge, 'merge'> | null
  /** The protected branch moved. */
  readonly landed: () => void
}
