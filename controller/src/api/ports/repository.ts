import type { CommitFacts } from './approvals.ts'

/** A commit with what it changed. */
export interface CommitChange extends CommitFacts {
  readonly revision: string
  /** The whole message. */
  readonly message: string
  readonly parents: readonly string[]
  /** Since its first parent, as a unified diff; null where the git binary is missing. */
  readonly patch: { readonly text: string; readonly truncated: boolean } | null
}

/** Looks into the state repo. In a process that does not lead, the leader looks. */
export interface RepositoryReads {
  /** What each commit says, in the order asked; null for one of a plain folder, or that the repository has lost. */
  commits(revisions: readonly string[]): Promise<readonly (CommitFacts | null)[]>
  /** Null for a plain folder, or when the repository has lost it. */
  change(revision: string): Promise<CommitChange | null>
  /** The text of an accepted file by the id of its content; null when it is gone, too large, or not text. */
  text(file: { readonly path: string; readonly oid: string }): Promise<string | null>
}
