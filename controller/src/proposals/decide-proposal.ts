import { fail } from '../lib/error-catalogue.ts'
import { type ProposalRow, proposalById } from '../store/queries/proposals.ts'
import { examine } from './examine.ts'
import type { ProposalDeps, ProposalPlan } from './ports.ts'

/**
 * Does something with what an open proposal would do as both branches stand, and checks it again: what was said about it counts
 * from then on. SW_NOT_FOUND; SW_CONFLICT when it is closed, or cannot be merged.
 */
export async function decideProposal<T>(
  deps: ProposalDeps,
  id: string,
  work: (row: ProposalRow, plan: ProposalPlan) => Promise<T>,
): Promise<T> {
  const { store, repository } = deps
  const row = await proposalById(store.engine, id)
  if (row === null) throw fail('SW_NOT_FOUND', `there is no proposal ${id}`)
  if (row.state !== 'open') throw fail('SW_CONFLICT', `proposal ${id} is ${row.state}`)
  const onto = await repository.resolve(deps.ref)
  if (onto === null) throw fail('SW_REF_MISSING', `${deps.ref} does not exist`)
  const { head } = row
  const { tree, conflicts } = await repository.mergeTrees(onto, head)
  if (conflicts.length > 0)
    throw fail('SW_CONFLICT', `proposal ${id} cannot be merged: ${conflicts.join(', ')} was changed on both sides`)
  const plan = await deps.plan({ onto, head, tree, proposedBy: [row.author, ...row.contributors] })
  const done = await work(row, plan)
  await examine(deps, row, { head, onto })
  return done
}
