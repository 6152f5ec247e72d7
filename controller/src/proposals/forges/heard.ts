import { openOfBranch, type ProposalSummary } from '../../store/queries/proposals.ts'
import type { Store } from '../../store/store.ts'
import type { ForgeEvent } from './ports.ts'

export interface HeardDeps {
  readonly store: Store
  /** Whose login it is. */
  readonly principalOf: (login: string) => string
  /** Fetches the state repo, and looks at its branches. */
  readonly refresh: () => Promise<void>
  /** A word about everything that is asked; SW_CONFLICT, SW_FORBIDDEN. */
  readonly decide: (id: string, decision: 'approve' | 'reject', actor: string, reason: string | null) => Promise<void>
  readonly reject: (id: string, actor: string) => Promise<void>
}

/**
 * Does what a forge tells of a pull request as if it had been said here: a review is a word about what is asked, a merge is an
 * approval of whoever merged, closing it is a rejection. Answers with what was done, for the log of deliveries. What was told
 * before changes nothing.
 */
export async function heard(deps: HeardDeps, event: ForgeEvent): Promise<string> {
  const { store } = deps
  if (event.kind === 'pushed') {
    await deps.refresh()
    return 'looked at the branches'
  }
  const row = await openOfBranch(store.engine, event.branch)
  if (row === null) {
    await deps.refresh()
    return `no proposal is open on ${event.branch}`
  }
  const actor = deps.principalOf(event.login)
  switch (event.kind) {
    case 'reviewed':
      if (event.head !== row.head) return `the review is of ${event.head}, which ${row.proposal_id} is not any more`
      return said(deps, row, event.decision, actor, event.text === '' ? null : event.text)
    case 'merged': {
      // Its word first: what lands is looked at with it.
      const word = event.head === row.head ? await said(deps, row, 'approve', actor, null) : 'merged as another commit'
      await deps.refresh()
      return word
    }
    case 'closed':
      await deps.reject(row.proposal_id, actor)
      return `${actor} rejected ${row.proposal_id}`
  }
}

/** A word that does not count is no error of the forge's: it is answered, and asked for here. */
async function said(
  deps: HeardDeps,
  { proposal_id: id }: ProposalSummary,
  decision: 'approve' | 'reject',
  actor: string,
  reason: string | null,
): Promise<string> {
  try {
    await deps.decide(id, decision, actor, reason)
    return `${actor}: ${decision} ${id}`
  } catch (error) {
    const known = error as { readonly ref?: string; readonly message: string }
    if (known.ref === 'SW_FORBIDDEN' || known.ref === 'SW_CONFLICT') return known.message
    throw error
  }
}
