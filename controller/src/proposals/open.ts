import { recordName } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import {
  closeProposal,
  insertProposal,
  type NewProposal,
  openOfBranch,
  openOfTopic,
} from '../store/queries/proposals.ts'
import { transact } from '../store/transact.ts'
import { proposalBranch } from './branch-names.ts'
import { closeBranch } from './close.ts'
import type { ProposalDeps } from './ports.ts'
import { type About, openedEvent, proposalEvent } from './proposal-events.ts'

/** A branch with commits that are not on the protected one, and who says so. */
export interface Opening {
  /** Full name. */
  readonly ref: string
  readonly base: string
  readonly head: string
  readonly title: string
  readonly description: string
  /** user:…, key:…, agent:<namespace>/<name>, system, git:<address>. */
  readonly author: string
  readonly runId: string | null
  readonly correlationId: string
  readonly labels?: Readonly<Record<string, string>>
  /** What it is about: those of the same author about the same are superseded. */
  readonly topic?: string | null
  readonly about?: About | null
  /** Of the proposal; default: one is made of the branch. */
  readonly id?: string
  /** The branch was made anew: what it proposed before is superseded. */
  readonly replaces?: boolean
}

const AGENT = /^agent:([^/]+)\/(.+)$/

/** Makes a branch a proposal: row and event together. Null when it is one already, or its name is not one of a proposal. */
export async function openProposal(deps: ProposalDeps, opening: Opening): Promise<string | null> {
  const named = proposalBranch(opening.ref)
  if (named === null) return null
  const { store } = deps
  const at = store.clock.now()
  const { author, topic = null } = opening
  const [, namespace = 'default', agent = null] = AGENT.exec(author) ?? []
  const row: NewProposal = {
    proposal_id: opening.id ?? recordName(named.word),
    branch: named.branch,
    title: opening.title,
    description: opening.description,
    author,
    author_kind: agent !== null ? 'agent' : author === 'system' ? 'system' : 'user',
    ...{ namespace, agent },
    run_id: opening.runId,
    correlation_id: opening.correlationId,
    labels: opening.labels ?? {},
    topic,
    ...{ base: opening.base, head: opening.head, files: [] },
    opened_at: at,
    expires_at: new Date(at.getTime() + deps.expireAfterMs),
  }
  const replaced = await transact(store, async (tx) => {
    const former = opening.replaces === true ? await openOfBranch(tx, row.branch) : null
    const older = [
      ...(former === null || former.head === row.head ? [] : [former]),
      ...(topic === null ? [] : await openOfTopic(tx, { author, topic, except: row.proposal_id })),
    ]
    const events: NewEvent[] = []
    for (const one of older) {
      const by = { actor: author, at, reason: null, landed: null, supersededBy: row.proposal_id }
      const closed = await closeProposal(tx, one.proposal_id, 'superseded', by)
      if (closed !== null)
        events.push(proposalEvent('superseded', closed, { at, actor: author }, { by: row.proposal_id }))
    }
    if (!(await insertProposal(tx, row))) {
      if (events.length > 0) await appendEvents(tx, store, events)
      return null
    }
    await appendEvents(tx, store, [...events, openedEvent(row, opening.about ?? null, { at, actor: author })])
    return older
  })
  if (replaced === null) return null
  for (const one of replaced) await closeBranch(deps, one)
  return row.proposal_id
}
