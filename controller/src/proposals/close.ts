import { fail } from '../lib/error-catalogue.ts'
import { StatewardError } from '../lib/errors.ts'
import type { JsonObject } from '../lib/json.ts'
import { nextProposal, type ProposalState } from '../lifecycle/proposal.ts'
import { appendEvents } from '../store/log.ts'
import { closeProposal, type ProposalRow, type ProposalSummary, proposalById } from '../store/queries/proposals.ts'
import { transact } from '../store/transact.ts'
import { closedRef, fullName } from './branch-names.ts'
import type { ProposalDeps } from './ports.ts'
import { proposalEvent } from './proposal-events.ts'

const EVENT = { merged: 'merge', rejected: 'reject', expired: 'expire', superseded: 'supersede' } as const

export interface Closing {
  readonly state: Exclude<ProposalState, 'open'>
  readonly actor: string
  readonly reason: string | null
  readonly landed?: string
  /** Of the event, beside what each says. */
  readonly more?: JsonObject
}

/** Ends a proposal: row and event together, then its branch. The same end again changes nothing. SW_CONFLICT for another one. */
export async function close(deps: ProposalDeps, id: string, closing: Closing): Promise<ProposalSummary> {
  const { store } = deps
  const { state, actor, reason, landed = null, more = {} } = closing
  const at = store.clock.now()
  const closed = await transact(store, async (tx) => {
    const row = await closeProposal(tx, id, state, { actor, at, reason, landed, supersededBy: null })
    if (row !== null) await appendEvents(tx, store, [proposalEvent(state, row, { at, actor }, more)])
    return row
  })
  if (closed !== null) {
    await closeBranch(deps, closed)
    return closed
  }
  const row = await proposalById(store.engine, id)
  if (row === null) throw fail('SW_NOT_FOUND', `there is no proposal ${id}`)
  if (nextProposal(row.state, EVENT[state]).outcome === 'rejected')
    throw fail('SW_CONFLICT', `proposal ${id} is ${row.state}`, { details: { state: row.state } })
  return row
}

/**
 * The branch of a closed proposal goes, and its commits are kept under a ref of its own. A branch that has moved on since
 * stays: that is another proposal. Branches of a remote are the business of whoever keeps it.
 */
export async function closeBranch(
  { repository, remoteUrl }: ProposalDeps,
  { proposal_id, branch, head }: Pick<ProposalRow, 'proposal_id' | 'branch' | 'head'>,
): Promise<void> {
  if ((await repository.resolve(head)) === null) return
  const kept = closedRef(proposal_id)
  await unlessMoved(async () => repository.moveRef({ ref: kept, to: head, expected: await repository.resolve(kept) }))
  if (remoteUrl !== null) return
  const ref = fullName(branch)
  if ((await repository.resolve(ref)) !== head) return
  await unlessMoved(() => repository.moveRef({ ref, to: null, expected: head }))
}

/** Somebody pushed at the same moment: the branch is his. */
async function unlessMoved(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StatewardError && error.ref === 'SW_CONFLICT')) throw error
  }
}
