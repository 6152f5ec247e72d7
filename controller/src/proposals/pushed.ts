import { isUuid } from '../lib/ids.ts'
import { addContributor } from '../store/queries/proposals.ts'
import { transact } from '../store/transact.ts'
import { proposalBranch } from './branch-names.ts'
import { openProposal } from './open.ts'
import type { ProposalDeps } from './ports.ts'

/** One ref that a push moves; null = it is not there before, or afterwards. */
export interface PushedRef {
  readonly ref: string
  readonly from: string | null
  readonly to: string | null
}

/** Who pushes, as far as it matters for what he may move. */
export interface Pusher {
  /** Of the agent that he is. */
  readonly agent: { readonly namespace: string; readonly name: string } | null
  /** He may move the protected branch, and every other one. */
  readonly mayMoveAll: boolean
  /** He may say by a ref that the fleet is to be frozen; his signature is asked afterwards. */
  readonly mayFreeze: boolean
}

/** Why somebody may not move a ref; null when he may. Pure. */
export function refusal({ ref, to }: PushedRef, { agent, mayMoveAll, mayFreeze }: Pusher): string | null {
  const named = proposalBranch(ref)
  if (ref === FREEZE_REF && mayFreeze && agent === null)
    return to === null ? `${ref} is taken away by: stateward unfreeze` : null
  if (ref.startsWith('refs/stateward/') || ref === 'refs/heads/stateward/status' || ref.startsWith('refs/notes/'))
    return `${ref} is written by the controller alone`
  if (agent !== null) {
    const own = `agents/${agent.namespace}/${agent.name}/`
    const isOwn = named?.agent?.namespace === agent.namespace && named.agent.name === agent.name
    return isOwn ? null : `${ref} is not a branch of this agent: push to ${own}<task>`
  }
  if (mayMoveAll) return null
  if (named === null) return `${ref} is not a proposal: push to proposals/<name>, and merge that`
  return named.agent === null ? null : `${ref} belongs to an agent: push to proposals/<name>`
}

/** The commit there says that the fleet is frozen. */
const FREEZE_REF = 'refs/stateward/freeze'

interface Identity {
  readonly name: string
  readonly email: string
}

/** The address of commits that name a principal. */
const OWN_ADDRESS = 'controller@stateward.dev'

/**
 * Why a commit may not be pushed by this principal; null when it may. An agent's commits say that they are its own; nobody's
 * say that they are another principal's. Pure.
 */
export function forged(
  commit: { readonly author: Identity; readonly committer: Identity },
  principal: string,
): string | null {
  const isAgent = principal.startsWith('agent:')
  for (const { name, email } of [commit.author, commit.committer]) {
    if (email === OWN_ADDRESS ? name === principal : !isAgent) continue
    const as = isAgent ? `${principal} <${OWN_ADDRESS}>` : 'an address of your own'
    return `a commit is of "${name} <${email}>", and pushed by ${principal}: commit as ${as} (git commit --amend --reset-author)`
  }
  return null
}

/** Makes what was pushed proposals, by whoever pushed it; answers with lines for him. */
export async function registerPushed(
  deps: ProposalDeps,
  pushed: readonly PushedRef[],
  by: { readonly author: string; readonly correlationId: string },
): Promise<string[]> {
  const { repository, store } = deps
  const lines: string[] = []
  const main = await repository.resolve(deps.ref)
  for (const { ref, to } of pushed) {
    const named = proposalBranch(ref)
    if (named === null || to === null || main === null || (await repository.isAncestor(to, main))) continue
    const { message } = await repository.commit(to)
    const [title = '', ...rest] = message.trimEnd().split('\n')
    const run = /^Stateward-Run: (.+)$/m.exec(message)?.[1] ?? null
    const opened = await openProposal(deps, {
      ...{ ref, head: to, base: (await repository.mergeBase(main, to)) ?? to },
      title: title === '' ? named.word : title.slice(0, 253),
      description: rest.join('\n').trim().slice(0, 10_000),
      runId: run !== null && isUuid(run) ? run : null,
      ...by,
    })
    const id = opened ?? (await transact(store, (tx) => addContributor(tx, named.branch, by.author)))
    if (id !== null)
      lines.push(`proposal ${id} ${opened === null ? 'has new commits' : 'is open'}: stateward proposals show ${id}`)
  }
  return lines
}
