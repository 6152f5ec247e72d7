import type { Route } from '../../http/route.ts'
import { approveProposal, createProposal, mergeProposal, rejectProposal } from './change-proposals.ts'
import { receiveForgeWebhook } from './forge-webhook.ts'
import { diffOfProposal, listProposals, planOfProposal, readProposal } from './read-proposals.ts'

/** Changes of the state repo that wait for somebody to merge them. */
export const PROPOSAL_ROUTES: readonly Route[] = [
  listProposals,
  createProposal,
  readProposal,
  planOfProposal,
  diffOfProposal,
  approveProposal,
  rejectProposal,
  mergeProposal,
  receiveForgeWebhook,
]
