import type { DraftIssue, DraftKind } from '../../store/queries/drafts.ts'
import type { Store } from '../../store/store.ts'
import type { ProposalBranches } from '../ports.ts'
import type { Proposals } from '../proposals.ts'
import type { DraftContent } from './draft-file.ts'

/** Who does something with drafts. */
export interface DraftCaller {
  readonly actor: string
  readonly correlationId: string
  readonly roles?: readonly string[]
}

export interface SaveDraft {
  readonly namespace: string
  readonly name: string
  readonly kind: DraftKind
  /** As in `DraftContent`. */
  readonly definition: DraftContent['definition']
  readonly trigger: string | null
  readonly notes: string
  /** The run it comes from. */
  readonly runId: string | null
  /** The draft that is saved again; null = the open one of this author about the same, else a new one. */
  readonly draftId: string | null
}

export interface ValidatedDraft {
  readonly draft_id: string
  readonly revision: number
  readonly is_valid: boolean
  readonly issues: readonly DraftIssue[]
  readonly artifact_id: string | null
}

export interface PromotedDraft {
  readonly draft_id: string
  readonly kind: DraftKind
  /** What is promoted. */
  readonly id: string
  readonly version: string
  readonly tag: string
  /** On the protected branch. */
  readonly commit: string
  readonly proposal: string
}

/** Keeps a text as an artifact; answers with its id. */
export type KeepText = (
  artifact: {
    readonly name: string
    readonly kind: string
    readonly contentType: string
    readonly text: string
    readonly runId: string | null
    readonly metadata: Readonly<Record<string, string | number>>
  },
  by: DraftCaller,
) => Promise<string>

export interface DraftDeps {
  readonly store: Store
  readonly proposals: Proposals
  readonly repository: ProposalBranches
  /** Null for a repository on this machine. */
  readonly remoteUrl: string | null
  /** A path of the state's folder, from the root of the repository. */
  readonly inFolder: (path: string) => string
  /** The file that a blueprint is alone in, in the state's folder; null = it is not declared. Throws when others are in it. */
  readonly fileOf: (namespace: string, blueprint: string) => string | null
  readonly keep: KeepText
  /** Merges a proposal with the word of whoever promotes. */
  readonly merge: (proposal: string, by: DraftCaller) => Promise<void>
}
