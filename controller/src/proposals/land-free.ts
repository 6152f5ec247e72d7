import { fail } from '../lib/error-catalogue.ts'
import { openProposals, type ProposalRow } from '../store/queries/proposals.ts'
import { AUTO_MERGE_CHECK, AUTO_MERGER } from './auto-merge.ts'
import { land } from './land.ts'
import type { ProposalDeps } from './ports.ts'

/** Lands what policies let land by itself; what cannot be landed stays open, and is tried again with the next look. */
export async function landFree(deps: ProposalDeps): Promise<void> {
  const { store } = deps
  for (const { proposal_id: id, checks, check_error } of await openProposals(store.engine)) {
    const free = checks.find(({ name }) => name === AUTO_MERGE_CHECK)
    if (check_error !== null || free === undefined || checks.some(({ state }) => state !== 'passed')) continue
    try {
      await land(deps, { id, actor: AUTO_MERGER, permit: async (row) => stillFree(row) })
    } catch (error) {
      store.log.warn({ err: error, proposal: id }, 'a proposal could not land by itself')
    }
  }
}

/** It was checked again against the protected branch as it is. Nobody approved it: policies let it through. */
function stillFree({ proposal_id, checks }: ProposalRow): readonly string[] {
  if (checks.some(({ name }) => name === AUTO_MERGE_CHECK)) return []
  throw fail('SW_FORBIDDEN', `proposal ${proposal_id} has to be merged by a person by now`)
}
