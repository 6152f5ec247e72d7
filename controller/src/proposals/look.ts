import { isUuid, newCorrelationId } from '../lib/ids.ts'
import { latestProposals, openProposals, type ProposalSummary } from '../store/queries/proposals.ts'
import { fullName, type ProposalBranch, proposalBranch } from './branch-names.ts'
import { type Closing, close } from './close.ts'
import { examine, toCheckAgain } from './examine.ts'
import { openProposal } from './open.ts'
import type { ProposalDeps } from './ports.ts'

const OWN_ADDRESS = 'controller@stateward.dev'
const FETCH_TIMEOUT_MS = 60_000
/** How far back the merge of a branch is looked for. */
const MAX_LOOKED_AT = 200

/**
 * Brings the rows to what the branches are: opens, checks again what moved, closes what was merged, deleted or got too old.
 * Level-triggered: whatever was missed before is found now. `again`: everything is checked, whether it moved or not.
 */
export async function lookAtAll(deps: ProposalDeps, { again }: { readonly again: boolean }): Promise<void> {
  const { store, repository, ref } = deps
  const main = await repository.resolve(ref)
  // Without it nothing can be told apart: a branch that is gone is an error of the source, which says so.
  if (main === null) return
  const branches = new Map<string, { readonly named: ProposalBranch; readonly tip: string }>()
  for (const [name, tip] of await repository.refs('refs/heads/')) {
    const named = proposalBranch(name)
    if (named !== null && name !== ref) branches.set(named.branch, { named, tip })
  }
  const open = await openProposals(store.engine)
  for (const row of open)
    await lookAt(deps, again ? toCheckAgain(row) : row, branches.get(row.branch)?.tip ?? null, main)
  const known = new Set(open.map(({ branch }) => branch))
  const others = [...branches.keys()].filter((branch) => !known.has(branch))
  const latest = new Map((await latestProposals(store.engine, others)).map((row) => [row.branch, row]))
  for (const branch of others) {
    const { named, tip } = branches.get(branch)!
    if (latest.get(branch)?.head === tip || (await repository.isAncestor(tip, main))) continue
    await discover(deps, named, tip, main)
  }
}

/** Brings the proposals of a remote here. */
export async function fetchBranches({ repository, remoteUrl }: ProposalDeps): Promise<void> {
  if (remoteUrl === null) return
  const refspecs = ['proposals', 'agents'].map((folder) => `+refs/heads/${folder}/*:refs/heads/${folder}/*`)
  await repository.fetch({ url: remoteUrl, refspecs, timeoutMs: FETCH_TIMEOUT_MS })
}

/** One open proposal; true when it is still open afterwards. */
export async function lookAt(
  deps: ProposalDeps,
  row: ProposalSummary,
  tip: string | null,
  main: string,
): Promise<boolean> {
  const { repository, store } = deps
  const head = tip ?? row.head
  const there = await repository.resolve(head)
  if (there !== null && (await repository.isAncestor(head, main))) {
    await close(deps, row.proposal_id, await mergedBy(deps, head, main))
    return false
  }
  if (tip === null) {
    // Merged in another way, and tidied up by the forge; or taken back.
    if (there !== null && (await isAbsorbed(deps, head, main))) {
      await close(deps, row.proposal_id, await mergedBy(deps, null, main))
    } else {
      await close(deps, row.proposal_id, {
        ...{ state: 'rejected', actor: 'system', reason: 'its branch was deleted' },
        more: { reason: 'its branch was deleted' },
      })
    }
    return false
  }
  if (tip !== row.head || main !== row.onto) {
    if ((await examine(deps, row, { head: tip, onto: main })) === 'absorbed') {
      await close(deps, row.proposal_id, await mergedBy(deps, null, main))
      return false
    }
  }
  if (tip === row.head && row.expires_at !== null && row.expires_at <= store.clock.now()) {
    await close(deps, row.proposal_id, { state: 'expired', actor: 'system', reason: null })
    return false
  }
  return true
}

/** A branch that somebody pushed. What its commits say about who that is proves nothing but an address. */
async function discover(deps: ProposalDeps, named: ProposalBranch, tip: string, main: string): Promise<void> {
  const { repository, store } = deps
  const { author, message } = await repository.commit(tip)
  const [title = '', ...rest] = message.trimEnd().split('\n')
  const trailer = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(message)?.[1] ?? null
  const run = trailer('Stateward-Run')
  const base = await repository.mergeBase(main, tip)
  const id = await openProposal(deps, {
    ref: fullName(named.branch),
    ...{ base: base ?? tip, head: tip },
    title: title === '' ? named.word : title.slice(0, 253),
    description: rest.join('\n').trim().slice(0, 10_000),
    author:
      named.agent !== null
        ? `agent:${named.agent.namespace}/${named.agent.name}`
        : author.email === OWN_ADDRESS
          ? 'system'
          : `git:${author.email}`,
    runId: run !== null && isUuid(run) ? run : null,
    correlationId: trailer('Stateward-Correlation') ?? newCorrelationId(),
  })
  if (id === null) return
  const row = (await openProposals(store.engine)).find(({ proposal_id }) => proposal_id === id)
  if (row !== undefined) await lookAt(deps, row, tip, main)
}

async function isAbsorbed({ repository }: ProposalDeps, head: string, main: string): Promise<boolean> {
  if ((await repository.mergeBase(main, head)) === null) return false
  const { tree, conflicts } = await repository.mergeTrees(main, head)
  return conflicts.length === 0 && tree === (await repository.commit(main)).tree
}

/** Who brought it onto the protected branch: of the commit that did, as far as that can be found. */
async function mergedBy({ repository }: ProposalDeps, head: string | null, main: string): Promise<Closing> {
  let commit = await repository.commit(main)
  for (let i = 0; head !== null && i < MAX_LOOKED_AT; i++) {
    if (commit.oid === head || commit.parents.slice(1).includes(head)) break
    const [before] = commit.parents
    if (before === undefined || !(await repository.isAncestor(head, before))) break
    commit = await repository.commit(before)
  }
  const ours =
    commit.parents.length > 1 && commit.committer.email === OWN_ADDRESS
      ? /^Stateward-Merged-By: (.+)$/m.exec(commit.message)?.[1]
      : null
  const actor = ours ?? `git:${commit.author.email}`
  return { state: 'merged', actor, reason: null, landed: commit.oid, more: { landed: commit.oid, approvers: [] } }
}
