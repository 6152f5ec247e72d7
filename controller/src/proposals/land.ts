import { fail } from '../lib/error-catalogue.ts'
import { StatewardError } from '../lib/errors.ts'
import { holdsLease } from '../store/leases.ts'
import { type ProposalRow, proposalById } from '../store/queries/proposals.ts'
import { fullName } from './branch-names.ts'
import { close } from './close.ts'
import { forgeState } from './forges/forge-state.ts'
import { lookAt } from './look.ts'
import type { ProposalDeps } from './ports.ts'
import { trailersOf } from './propose.ts'

const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }
const PUSH_TIMEOUT_MS = 60_000
/** Somebody else may move the protected branch at the same moment. */
const ATTEMPTS = 5

/** What a caller needs who lands a proposal. */
export interface Landing {
  readonly id: string
  readonly actor: string
  /**
   * Lets it through and tells who approved it, or throws. It is asked after everything was checked against the protected
   * branch as it is.
   */
  readonly permit: (row: ProposalRow) => Promise<readonly string[]>
}

/**
 * Lands a proposal: a merge commit on the protected branch, by its author, with who merged and who approved it. It is checked
 * again first when either branch moved. One that is merged already is answered as it is. SW_NOT_FOUND; SW_CONFLICT when it was
 * closed otherwise; SW_CHECKS_FAILED; what `permit` throws.
 */
export async function land(deps: ProposalDeps, landing: Landing): Promise<ProposalRow> {
  const { repository, store } = deps
  const { id, actor } = landing
  for (let attempt = 1; ; attempt++) {
    const main = await repository.resolve(deps.ref)
    if (main === null) throw fail('SW_REF_MISSING', `${deps.ref} does not exist`)
    const row = await checkedNow(deps, id)
    if (row.state !== 'open') return row
    const approvers = await landing.permit(row)
    if (!(await holdsLease(store.engine, store, deps.lease))) throw fail('SW_NO_LEADER', 'another process leads by now')
    let commit: string
    try {
      commit = await landed(deps, row, main, { actor, approvers })
    } catch (error) {
      if (attempt < ATTEMPTS && error instanceof StatewardError && error.ref === 'SW_CONFLICT') continue
      throw error
    }
    await close(deps, id, {
      ...{ state: 'merged', actor, reason: null, landed: commit },
      more: { landed: commit, approvers: [...approvers] },
    })
    deps.landed()
    return (await proposalById(store.engine, id))!
  }
}

/** The proposal as its branch and the protected one stand at this moment, whatever is wrong with it. SW_NOT_FOUND. */
export async function lookedAtNow(deps: ProposalDeps, id: string): Promise<ProposalRow> {
  const { repository, store } = deps
  const main = await repository.resolve(deps.ref)
  if (main === null) throw fail('SW_REF_MISSING', `${deps.ref} does not exist`)
  const before = await proposalById(store.engine, id)
  if (before === null) throw fail('SW_NOT_FOUND', `there is no proposal ${id}`)
  if (before.state === 'open') await lookAt(deps, before, await repository.resolve(fullName(before.branch)), main)
  return (await proposalById(store.engine, id))!
}

/** The same; open only when nothing is wrong with it. */
async function checkedNow(deps: ProposalDeps, id: string): Promise<ProposalRow> {
  const row = await lookedAtNow(deps, id)
  if (row.state === 'merged') return row
  if (row.state !== 'open')
    throw fail('SW_CONFLICT', `proposal ${id} is ${row.state}`, { details: { state: row.state } })
  if (row.check_error !== null) throw fail('SW_CHECKS_FAILED', `proposal ${id} cannot be checked: ${row.check_error}`)
  const failed = row.checks.filter(({ state }) => state === 'failed')
  if (failed.length > 0)
    throw fail(
      'SW_CHECKS_FAILED',
      `proposal ${id}: ${failed.map(({ name, summary }) => `${name}: ${summary}`).join('; ')}`,
      {
        details: {
          failed: failed.map(({ name }) => name),
          problems: failed.flatMap(({ problems }) => problems).slice(0, 20),
        },
      },
    )
  return row
}

interface Landed {
  readonly actor: string
  readonly approvers: readonly string[]
}

/** Answers with the commit of the protected branch. Throws SW_CONFLICT when somebody else moved it. */
async function landed(deps: ProposalDeps, row: ProposalRow, main: string, by: Landed): Promise<string> {
  const { forge, repository, remoteUrl, ref } = deps
  const request = forgeState(row)
  if (forge !== null && request !== null && remoteUrl !== null) {
    // The forge has its own rules about who may move the branch, and shows what became of the pull request.
    const [title, message] = [titleOf(row), trailersOfMerge(row, by).join('\n')]
    const commit = await forge.merge(request.number, { head: row.head, title, message })
    await repository.fetch({ url: remoteUrl, refspecs: [`+${ref}:${ref}`], timeoutMs: PUSH_TIMEOUT_MS })
    return commit
  }
  const commit = await mergeCommit(deps, row, main, by)
  await moveMain(deps, row.proposal_id, main, commit)
  return commit
}

function titleOf(row: ProposalRow): string {
  return `Merge proposal ${row.proposal_id}: ${row.title}`
}

function trailersOfMerge(row: ProposalRow, by: Landed): string[] {
  return [
    `Stateward-Proposal: ${row.proposal_id}`,
    `Stateward-Merged-By: ${by.actor}`,
    ...by.approvers.map((approver) => `Stateward-Approved-By: ${approver}`),
    ...trailersOf({ author: row.author, run: row.run_id, correlation: row.correlation_id }),
  ]
}

async function mergeCommit(
  { repository, store }: ProposalDeps,
  row: ProposalRow,
  main: string,
  by: Landed,
): Promise<string> {
  const { tree } = await repository.mergeTrees(main, row.head)
  const { author } = await repository.commit(row.head)
  return repository.commitTree({
    tree,
    parents: [main, row.head],
    message: `${titleOf(row)}\n\n${trailersOfMerge(row, by).join('\n')}\n`,
    author,
    committer: WHO,
    time: store.clock.now(),
  })
}

/** Throws SW_CONFLICT when somebody else moved it. */
async function moveMain(deps: ProposalDeps, id: string, main: string, commit: string): Promise<void> {
  const { repository, remoteUrl, ref } = deps
  if (remoteUrl === null) {
    await repository.moveRef({ ref, to: commit, expected: main })
    return
  }
  const landing = `refs/stateward/landing/${id}`
  await repository.moveRef({ ref: landing, to: commit, expected: await repository.resolve(landing) })
  try {
    await repository.push({ url: remoteUrl, refspecs: [`${landing}:${ref}`], timeoutMs: PUSH_TIMEOUT_MS })
  } catch (error) {
    await repository.fetch({ url: remoteUrl, refspecs: [`+${ref}:${ref}`], timeoutMs: PUSH_TIMEOUT_MS })
    throw error
  } finally {
    await repository.moveRef({ ref: landing, to: null, expected: commit })
  }
  await repository.moveRef({ ref, to: commit, expected: main })
}
