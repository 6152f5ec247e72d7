import { fail } from '../../../lib/error-catalogue.ts'
import type { Executor } from '../../../store/database.ts'
import { type ProposalRow, proposalsByReference } from '../../../store/queries/proposals.ts'
import type { Principal } from '../../auth/principal.ts'

/** By id, by a unique beginning of it, or by branch; an agent finds its own only. SW_NOT_FOUND, SW_AMBIGUOUS. */
export async function findProposal(sql: Executor, text: string, principal: Principal): Promise<ProposalRow> {
  const found = await proposalsByReference(sql, text)
  if (found.length > 1)
    throw fail('SW_AMBIGUOUS', `"${text}" could be ${found.map((row) => row.proposal_id).join(', ')} …`)
  const [row] = found
  if (row === undefined || (principal.type === 'agent' && row.author !== principal.name))
    throw fail('SW_NOT_FOUND', `there is no proposal "${text}"`, { remedy: 'list them: stateward proposals' })
  return row
}
