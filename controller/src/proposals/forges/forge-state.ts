import type { ProposalRow } from '../../store/queries/proposals.ts'

/** What is kept of a pull request with its proposal. */
export interface ForgeState {
  readonly type: string
  readonly number: number
  readonly url: string
  readonly author: string
  /** Digest of what was told last. */
  readonly told: string
  readonly closed: boolean
}

/** What the row says of its pull request; null = there is none yet. */
export function forgeState({ forge }: Pick<ProposalRow, 'forge'>): ForgeState | null {
  return forge !== null && typeof forge['number'] === 'number' ? (forge as unknown as ForgeState) : null
}
