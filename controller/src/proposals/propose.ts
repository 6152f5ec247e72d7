import { fail } from '../lib/error-catalogue.ts'
import { recordName } from '../lib/ids.ts'
import { refuseSecrets } from '../parse/secret-scan/scan.ts'
import { fullName, wordOf } from './branch-names.ts'
import { openProposal } from './open.ts'
import type { ProposalDeps } from './ports.ts'

const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }
const MAX_FILE_BYTES = 1024 * 1024
const PUSH_TIMEOUT_MS = 60_000

export interface ProposeRequest {
  /** One line: what it is for. */
  readonly title: string
  readonly description?: string
  /** Whole files by path from the root of the repository; null deletes. */
  readonly files: ReadonlyMap<string, string | null>
  /** user:…, key:…, agent:<namespace>/<name> or system. */
  readonly author: string
  /** The run it comes from. */
  readonly run?: string | null
  readonly correlation: string
  readonly labels?: Readonly<Record<string, string>>
  /** What it is about: an older one of the same author about the same is superseded. Also the beginning of its id. */
  readonly topic?: string | null
}

export interface Proposed {
  readonly id: string
  /** Without `refs/heads/`. */
  readonly branch: string
  readonly commit: string
}

/**
 * Proposes files: a commit on a branch of its own, from the head of the protected one. SW_CONFLICT when they are there as they
 * are; SW_SECRET_IN_CHANGE, SW_PATH_ESCAPES, SW_REF_MISSING.
 */
export async function propose(deps: ProposalDeps, request: ProposeRequest): Promise<Proposed> {
  const { repository, store, remoteUrl } = deps
  const { files, author, correlation, run = null, topic = null } = request
  const title = oneLine(request.title)
  const main = await repository.resolve(deps.ref)
  if (main === null) throw fail('SW_REF_MISSING', `${deps.ref} does not exist`)
  await assertWorthwhile(deps, files)
  const id = recordName(wordOf(topic ?? title))
  const branch = `proposals/${id}`
  const ref = fullName(branch)
  const description = (request.description ?? '').trim()
  const commit = await repository.writeCommit({
    ref,
    parent: main,
    expected: null,
    files,
    message: `${title}\n\n${description === '' ? '' : `${description}\n\n`}${trailersOf({ author, run, correlation }).join('\n')}\n`,
    author: { name: author, email: WHO.email },
    committer: WHO,
    time: store.clock.now(),
  })
  if (remoteUrl !== null)
    await repository.push({ url: remoteUrl, refspecs: [`${ref}:${ref}`], timeoutMs: PUSH_TIMEOUT_MS })
  await openProposal(deps, {
    ...{ id, ref, base: main, head: commit, title, description, author, topic },
    runId: run,
    correlationId: correlation,
    labels: request.labels ?? {},
  })
  return { id, branch, commit }
}

/** Who and what a commit comes from, for `git log` and `git interpret-trailers`. */
export function trailersOf(from: {
  readonly author: string
  readonly run: string | null
  readonly correlation: string
}): string[] {
  const agent = from.author.startsWith('agent:') ? from.author.slice('agent:'.length) : null
  return [
    agent === null ? `Stateward-Actor: ${from.author}` : `Stateward-Agent: ${agent}`,
    ...(from.run === null ? [] : [`Stateward-Run: ${from.run}`]),
    `Stateward-Correlation: ${from.correlation}`,
  ]
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 253)
}

/** Throws SW_CONFLICT when nothing would change, SW_SECRET_IN_CHANGE. */
async function assertWorthwhile(
  { repository, ref }: ProposalDeps,
  files: ReadonlyMap<string, string | null>,
): Promise<void> {
  let changes = false
  for (const [path, wanted] of files) {
    const before = await repository.readFile(ref, path, { maxBytes: 64 * MAX_FILE_BYTES })
    if ((before === null ? null : new TextDecoder().decode(before)) === wanted) continue
    changes = true
    if (wanted !== null) refuseSecrets([{ path, bytes: Buffer.from(wanted), before }])
  }
  if (!changes) throw fail('SW_CONFLICT', 'the protected branch says so already')
}
