import { keyOf, type ObjectKey, type Resource } from '../kinds/resource.ts'
import { systemClock } from '../lib/clock.ts'
import { digestOf } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { ParsedFile } from '../parse/parsed-file.ts'
import type { DeletionLimit } from '../plan/blast-radius.ts'
import { BUILTIN_PATH } from '../reconcile/sync/builtin-path.ts'
import { type PlanWithEffects, planRevisions } from '../reconcile/sync/plan-revisions.ts'
import { openDirectorySource } from '../source/directory/directory-source.ts'
import { type GitSource, openGitSource } from '../source/git/git-source.ts'
import type { Commit, Revision } from '../source/ports.ts'
import { STATUS_REF } from '../status/writers/git-status-writer.ts'
import { builtinToolRisk, builtinToolSchema } from '../tools/builtins.ts'
import { observedStatus } from './observed-status.ts'
import { offlineGovernor } from './offline-governor.ts'
import { PARSE_OPTIONS, pointerInFile } from './parse-options.ts'
import { SOURCE_NAME } from './state-repo.ts'

export interface PlanRequest {
  readonly repo: string
  /** Folder of the state repo that is read. */
  readonly path: string
  /** null = the merge base of `to` with origin/main. */
  readonly from: string | null
  readonly to: string
  readonly deletionLimit: DeletionLimit
  /** Whose word the commits are that land a change, as `approvals.merges` says. */
  readonly merges: 'none' | 'signed' | 'any'
  /** The text of an `allowed_signers` file, or empty. */
  readonly allowedSigners: string
  /** Also what the change does not touch is checked. */
  readonly everything: boolean
}

export interface RepositoryPlan {
  readonly plan: PlanWithEffects
  /** The status commit that told what is applied; null = nothing was observed. */
  readonly observed: string | null
}

const PROTECTED = ['refs/remotes/origin/main', 'refs/heads/main']
const SILENT = { info: () => {}, warn: () => {}, error: () => {} }

/** What a change would do, from a clone alone: no server, no database. Throws SW_REV_MISSING for a revision the clone does not have. */
export async function planRepository(request: PlanRequest): Promise<RepositoryPlan> {
  const source = await openGitSource({
    name: 'plan',
    repo: request.repo,
    ref: 'HEAD',
    path: request.path,
    intervalMs: 60_000,
    mirrorDir: '',
    log: SILENT,
  })
  try {
    const to = await revisionOf(source, request.to, request.path)
    const from =
      request.from === null
        ? await mergeBase(source, to, request.path)
        : await revisionOf(source, request.from, request.path)
    const status = await statusCommit(source)
    const base = { commit: from.commit, folder: request.path }
    const observed = status === null ? null : await observedStatus(source.repository, status, base)
    const plan = await planRevisions(source, from, to, observed, {
      parse: PARSE_OPTIONS,
      pointerInFile,
      deletionLimit: request.deletionLimit,
      builtinToolSchema,
      builtinToolRisk,
      everything: request.everything,
      builtin: undeclaredSource,
      builtinIsKnown: false,
      governor: offlineGovernor({
        ...{ repository: source.repository, path: request.path, base: from.commit, observed },
        ...{ merges: request.merges, allowedSigners: request.allowedSigners, clock: systemClock, log: SILENT },
      }),
      // What is on the protected branch was landed by somebody; what is not is a proposal.
      ...((await isLanded(source, to)) ? {} : { proposedBy: [] }),
    })
    return { plan, observed: status }
  } finally {
    await source.close()
  }
}

/** Everything a folder declares, as if nothing were applied yet: what `validate` reports. */
export async function planDirectory(directory: string, deletionLimit: DeletionLimit): Promise<PlanWithEffects> {
  const source = await openDirectorySource({ name: 'validate', directory, clock: systemClock, log: SILENT })
  try {
    return await planRevisions(source, null, await source.head(), null, {
      parse: PARSE_OPTIONS,
      pointerInFile,
      deletionLimit,
      builtinToolSchema,
      builtinToolRisk,
    })
  } finally {
    await source.close()
  }
}

async function revisionOf(source: GitSource, name: string, path: string): Promise<Revision> {
  const oid = await source.repository.resolve(name)
  if (oid === null) throw fail('SW_REV_MISSING', `${name} is not in this clone`, { remedy: `git fetch origin ${name}` })
  return await atPath(source, await source.repository.commit(oid), path)
}

async function atPath(source: GitSource, commit: Commit, path: string): Promise<Revision> {
  const entry = await source.repository.entry(commit.tree, path === '.' ? '' : path)
  if (entry === null) throw fail('SW_REPO_INVALID', `commit ${commit.oid.slice(0, 12)} has no folder ${path}`)
  return { commit: commit.oid, tree: entry.oid, message: commit.message, author: commit.author }
}

/** Where a pull request begins: the merge base with origin/main, or with the local main. */
async function mergeBase(source: GitSource, to: Revision, path: string): Promise<Revision> {
  for (const name of PROTECTED) {
    const main = await source.repository.resolve(name)
    const base = main === null ? null : await source.repository.mergeBase(main, to.commit)
    if (base !== null) return await revisionOf(source, base, path)
  }
  throw fail('SW_REV_MISSING', 'origin/main is not in this clone', {
    remedy: 'git fetch origin main, or name a revision with --from',
  })
}

/** Of a Source that no document declares a clone knows the name, and that it names the owners of paths. */
function undeclaredSource(declared: (key: ObjectKey) => boolean): ParsedFile {
  const own = { kind: 'Source', namespace: '', name: SOURCE_NAME }
  const resource: Resource = {
    ...{ ...own, labels: {}, annotations: {}, spec: {}, specDigest: digestOf({}) },
    origin: { file: BUILTIN_PATH, document: 0 },
  }
  const resources = declared(keyOf(own)) ? [] : [resource]
  return { path: BUILTIN_PATH, oid: '', resources, issues: [], ignored: 0, identified: [], unidentified: false }
}

async function isLanded({ repository }: GitSource, to: Revision): Promise<boolean> {
  for (const name of PROTECTED) {
    const main = await repository.resolve(name)
    if (main !== null) return repository.isAncestor(to.commit, main)
  }
  return false
}

async function statusCommit(source: GitSource): Promise<string | null> {
  for (const name of ['refs/remotes/origin/stateward/status', STATUS_REF]) {
    const found = await source.repository.resolve(name)
    if (found !== null) return found
  }
  return null
}
