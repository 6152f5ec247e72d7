import { type Next, next, statesBefore, type Table } from './table.ts'

/** A change on a branch of its own. What ended stays ended: a later commit on the same branch is another proposal. */
export const PROPOSAL_STATES = ['open', 'merged', 'rejected', 'expired', 'superseded'] as const
export type ProposalState = (typeof PROPOSAL_STATES)[number]

export const PROPOSAL_EVENTS = ['merge', 'reject', 'expire', 'supersede'] as const
export type ProposalEvent = (typeof PROPOSAL_EVENTS)[number]

export const proposalTable: Table<ProposalState, ProposalEvent> = {
  open: { merge: 'merged', reject: 'rejected', expire: 'expired', supersede: 'superseded' },
  merged: { merge: 'ignore', reject: 'reject', expire: 'ignore', supersede: 'ignore' },
  rejected: { merge: 'reject', reject: 'ignore', expire: 'ignore', supersede: 'ignore' },
  expired: { merge: 'reject', reject: 'ignore', expire: 'ignore', supersede: 'ignore' },
  superseded: { merge: 'reject', reject: 'ignore', expire: 'ignore', supersede: 'ignore' },
}

export function nextProposal(state: ProposalState, event: ProposalEvent): Next<ProposalState> {
  return next(proposalTable, state, event)
}

/** For SQL guards: the states a proposal may have before it gets into `to`. */
export function proposalStatesBefore(to: ProposalState): ProposalState[] {
  return statesBefore(proposalTable, to)
}
