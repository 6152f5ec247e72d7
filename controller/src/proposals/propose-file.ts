import { fail } from '../lib/error-catalogue.ts'
import { refuseSecrets } from '../parse/secret-scan/scan.ts'
import type { ProposalRepository } from './ports.ts'

const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }
const MAX_FILE_BYTES = 1024 * 1024
/** So many different proposals of the same kind of change to an object may be open at once. */
const MAX_OPEN = 20

/** One file of the state repo, changed for one reason. */
export interface FileChange {
  /** Last part of the branch: `suspend-agent-sre`. */
  readonly topic: string
  /** First line of the commit. */
  readonly subject: string
  readonly file: string
  /** The text afterwards; of a file that is not there it gets null. Null = there is nothing to change. */
  readonly edit: (text: string | null) => string | typeof REMOVED | null
  /**
   * Another proposal about the same may be open: the same is not made twice, and a different one gets a number. Default: a
   * branch left by an earlier one is replaced.
   */
  readonly keepsOthers?: boolean
  /** A commit more on the branch of that topic, when it is there. */
  readonly joins?: boolean
}

/** The file goes. */
export const REMOVED = Symbol('removed')

export interface ProposeOptions {
  /** Onto the protected ref itself instead of a branch. */
  readonly merge: boolean
  /** Branches that may propose the same already. */
  readonly alike?: readonly string[]
  /** Checks everything, writes nothing. */
  readonly dryRun?: boolean
  readonly actor: string
  readonly reason: string | null
  readonly correlationId: string
  /** Full name of the protected ref. */
  readonly ref: string
  readonly time: Date
  /** `Name: value` lines, after those of actor and correlation. */
  readonly trailers?: readonly string[]
}

/** A change as a commit; `branch` null = it is on the protected ref. */
export interface ProposedCommit {
  readonly branch: string | null
  readonly commit: string
  /** The head of the protected branch it was made from. */
  readonly base: string
  readonly merged: boolean
  /** The same was proposed before, and is still open. */
  readonly reused: boolean
  /** It came on top of what was proposed there. */
  readonly joined?: boolean
}

/**
 * Makes a change a commit on `proposals/<topic>`, made from the head of the protected ref, or (`merge`) on that ref itself.
 * Null when there is nothing to change. SW_REF_MISSING, SW_SECRET_IN_CHANGE, and what `edit` throws.
 */
export async function proposeFile(
  repository: ProposalRepository,
  change: FileChange,
  options: ProposeOptions,
): Promise<ProposedCommit | null> {
  const main = await repository.resolve(options.ref)
  if (main === null) throw fail('SW_REF_MISSING', `${options.ref} does not exist`)
  const joined = change.joins === true && !options.merge ? await repository.resolve(branchRef(change.topic)) : null
  const from = joined === null ? options.ref : branchRef(change.topic)
  const bytes = await repository.readFile(from, change.file, { maxBytes: MAX_FILE_BYTES })
  const edited = change.edit(bytes === null ? null : new TextDecoder().decode(bytes))
  if (edited === null) return null
  const text = edited === REMOVED ? null : edited
  if (text !== null) refuseSecrets([{ path: change.file, bytes: new TextEncoder().encode(text), before: bytes }])
  if (options.dryRun === true) return { branch: null, commit: '', base: main, merged: false, reused: false }
  const { branch, open } = await branchFor(repository, change, text, options)
  if (open !== null) return { branch, commit: open, base: main, merged: false, reused: true }
  const same = joined === null ? await proposing(repository, options.alike ?? [], change.file, text) : null
  if (same !== null) return { ...same, base: main, merged: false, reused: true }
  const ref = options.merge ? options.ref : `refs/heads/${branch}`
  const { actor, correlationId, trailers: more = [] } = options
  const trailers = [`Stateward-Actor: ${actor}`, `Stateward-Correlation: ${correlationId}`, ...more]
  const commit = await repository.writeCommit({
    ref,
    // What is replaced starts from today's head.
    parent: joined ?? main,
    expected: options.merge ? main : await repository.resolve(ref),
    files: new Map([[change.file, text]]),
    message: `${change.subject}\n\n${options.reason === null ? '' : `${options.reason}\n\n`}${trailers.join('\n')}\n`,
    author: { name: options.actor, email: WHO.email },
    committer: WHO,
    time: options.time,
  })
  const made = { branch: options.merge ? null : branch, commit, base: main, merged: options.merge, reused: false }
  return joined === null ? made : { ...made, joined: true }
}

/** The branch on which the file is that text already. */
async function proposing(
  repository: ProposalRepository,
  branches: readonly string[],
  file: string,
  text: string | null,
): Promise<{ readonly branch: string; readonly commit: string } | null> {
  for (const branch of branches) {
    const commit = await repository.resolve(`refs/heads/${branch}`)
    if (commit !== null && (await textOn(repository, branch, file)) === text) return { branch, commit }
  }
  return null
}

async function textOn(repository: ProposalRepository, branch: string, file: string): Promise<string | null> {
  const bytes = await repository.readFile(`refs/heads/${branch}`, file, { maxBytes: MAX_FILE_BYTES })
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

const branchRef = (topic: string): string => `refs/heads/proposals/${topic}`

/** The branch, and its commit when that is the same proposal already. */
async function branchFor(
  repository: ProposalRepository,
  { topic, file, keepsOthers, joins }: FileChange,
  text: string | null,
  { merge }: ProposeOptions,
): Promise<{ readonly branch: string; readonly open: string | null }> {
  if (joins === true && !merge) return { branch: `proposals/${topic}`, open: null }
  for (let n = 1; n <= MAX_OPEN; n++) {
    const branch = `proposals/${topic}${n === 1 ? '' : `-${n}`}`
    const tip = merge || keepsOthers !== true ? null : await repository.resolve(`refs/heads/${branch}`)
    if (tip === null) return { branch, open: null }
    if ((await textOn(repository, branch, file)) === text) return { branch, open: tip }
  }
  throw fail('SW_CONFLICT', `${MAX_OPEN} different proposals to ${topic} are open`, {
    remedy: 'merge or delete their branches: git branch --list "proposals/*"',
  })
}
