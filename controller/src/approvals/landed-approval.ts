import type { HistoryCommit } from './ports.ts'

/**
 * Whose word the commits are that brought a change onto the branch: a merge by somebody else than its authors agrees to it.
 * `none`: nobody's. `signed`: whoever signed them, when the signature is good. `any`: their committer, as they say.
 */
export type MergesApprove = 'none' | 'signed' | 'any'

export interface LandedApproval {
  readonly principal: string
  readonly source: 'merge' | 'commit'
  /** The newest of the commits. */
  readonly commit: HistoryCommit
}

/** Null when nobody landed all of it, or nobody knows who. What Stateward landed was approved elsewhere. */
export async function landedApproval(
  landings: readonly HistoryCommit[],
  mode: MergesApprove,
  whoIs: {
    /** Who signed it; null when nobody known did. */
    readonly signer: (commit: HistoryCommit) => Promise<string | null>
    /** Null for Stateward itself. */
    readonly committer: (commit: HistoryCommit) => string | null
  },
): Promise<LandedApproval | null> {
  const [newest] = landings
  if (newest === undefined || mode === 'none') return null
  const who = new Set<string | null>()
  for (const commit of landings) who.add(mode === 'signed' ? await whoIs.signer(commit) : whoIs.committer(commit))
  const [principal] = who
  if (who.size !== 1 || principal === null || principal === undefined) return null
  return { principal, source: newest.parents.length > 1 ? 'merge' : 'commit', commit: newest }
}
