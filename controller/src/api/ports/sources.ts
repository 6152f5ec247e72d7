import type { Issue } from '../../lib/issue.ts'
import type { Counts } from '../../plan/change-set.ts'
import type { Caller } from '../caller.ts'

/** How a source stands when a pass changed nothing: what is unchanged, blocked or skipped, and the problems that remain. */
export interface Standing {
  readonly counts: Counts
  readonly issues: readonly Issue[]
}

export interface SourceVerbs {
  /**
   * Reads a source now and resolves when its head was accepted, planned or refused: the id of the row in its history, or
   * null when nothing had changed.
   */
  sync(
    source: string,
    options: { readonly signal: AbortSignal },
    caller: Caller,
  ): Promise<{ readonly revision: string; readonly syncId: string | null; readonly standing: Standing }>
  /** Lets exactly the deletions through that the blast-radius limit holds back at that revision. SW_NOT_FOUND when it holds none. */
  approveDeletions(
    source: string,
    revision: string,
    caller: Caller,
  ): Promise<{ readonly revision: string; readonly deletions: number }>
}
