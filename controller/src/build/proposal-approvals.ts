import type { Caller } from '../api/caller.ts'
import type { ChangeWord } from '../api/ports/approvals.ts'
import { decideChanges } from '../approvals/decide-changes.ts'
import { fail } from '../lib/error-catalogue.ts'
import { StatewardError } from '../lib/errors.ts'
import type { Proposals } from '../proposals/proposals.ts'
import type { ProposalRow } from '../store/queries/proposals.ts'
import type { Store } from '../store/store.ts'
import type { People } from './people.ts'

export interface ProposalApprovalDeps {
  readonly store: Store
  readonly people: People
}

/**
 * Says yes or no to everything a proposal would change that somebody is asked about. SW_FORBIDDEN when this actor's word counts
 * for none of it; SW_CONFLICT when nobody is asked.
 */
export async function sayAboutProposal(
  { store, people }: ProposalApprovalDeps,
  proposals: Proposals,
  id: string,
  word: ChangeWord,
  caller: Caller,
): Promise<void> {
  await proposals.decide(id, async (row, { plan }) => {
    if (plan.asked.size === 0)
      throw fail('SW_CONFLICT', `nobody is asked about proposal ${row.proposal_id}`, {
        remedy: `merge it: stateward proposals merge ${row.proposal_id}`,
      })
    await decideChanges(store, people.identities().standing(caller.actor, caller.roles), [...plan.asked.values()], {
      ...word,
      ...{ proposal: row.proposal_id, revision: row.head },
      ...{ roles: caller.roles ?? [], correlationId: caller.correlationId },
    })
  })
}

/** Whoever merges agrees to what he is asked about; whether that is enough is seen when it lands. */
export async function approveByMerge(
  deps: ProposalApprovalDeps,
  proposals: Proposals,
  id: string,
  caller: Caller,
): Promise<void> {
  try {
    await sayAboutProposal(deps, proposals, id, { decision: 'approve', reason: null, source: 'merge' }, caller)
  } catch (error) {
    const ref = error instanceof StatewardError ? error.ref : null
    // Nobody is asked, it is merged already, or others have agreed: landing tells.
    if (ref !== 'SW_CONFLICT' && ref !== 'SW_FORBIDDEN') throw error
    if (ref === 'SW_FORBIDDEN' && !(await isApproved(proposals, id))) throw error
  }
}

async function isApproved(proposals: Proposals, id: string): Promise<boolean> {
  return proposals.decide(id, async (_row, { plan }) => plan.changes.every(({ held }) => held === undefined))
}

/** Who approved it; throws SW_FORBIDDEN while approvals are missing, so that nothing lands only to be held back. */
export async function permitted(row: ProposalRow): Promise<readonly string[]> {
  const approvals = row.checks.find(({ name }) => name === 'approvals')
  if (approvals?.state === 'waiting')
    throw fail('SW_FORBIDDEN', approvals.problems.map(({ message }) => message).join('; '), {
      remedy: `whoever may runs: stateward approve proposal/${row.proposal_id}`,
    })
  const changes = (row.plan?.['changes'] ?? []) as readonly {
    readonly approval?: { readonly approvers: readonly string[] }
  }[]
  return [...new Set(changes.flatMap(({ approval }) => approval?.approvers ?? []))]
}
