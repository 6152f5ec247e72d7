import { fail } from '../../../lib/error-catalogue.ts'
import { errorMessage } from '../../../lib/errors.ts'
import type { Commit, GitRepository } from '../../ports.ts'
import { incomplete } from '../incomplete.ts'
import { parseCommit } from '../objects/commit-object.ts'
import { diffBelow, entryAt, type NamedEntry, parseTree } from '../objects/tree-object.ts'
import { isFullRefName, parseRevision } from '../ref-names.ts'
import { CatFile } from './cat-file.ts'
import { DiffTree } from './diff-tree.ts'
import type { Environment, GitContext } from './git-process.ts'
import { git, gitEnvironment, killGroup } from './git-process.ts'
import { gitMerging } from './merge.ts'
import { fetchRefs, listRemote, pushRefs } from './remote.ts'
import { gitService } from './serve.ts'
import { signatureOf } from './signature.ts'
import { writeCommit } from './write-commit.ts'

/**
 * The repository through the `git` binary (2.38 or newer). Two long-lived children answer reads in a fraction of a
 * millisecond (`cat-file`, `diff-tree`); they start with the first question and end with `close()`.
 */
export function openNativeRepository(options: {
  readonly gitDir: string
  readonly binary: string
  readonly environment: Environment
}): GitRepository {
  const context: GitContext = {
    binary: options.binary,
    gitDir: options.gitDir,
    env: gitEnvironment(options.environment),
    children: new Set(),
  }
  const catFile = new CatFile(context)
  const diffTree = new DiffTree(context)

  const readTree = rememberTrees(async (oid) => {
    const object = await catFile.object(oid)
    if (object === null) throw incomplete(`tree ${oid} is missing`)
    if (object.type !== 'tree') throw fail('SW_GIT_FAILED', `object ${oid} is a ${object.type}, not a tree`)
    return parseTree(object.bytes, object.oid.length / 2)
  })
  const commit = async (oid: string): Promise<Commit> => {
    const object = await catFile.object(oid)
    if (object === null || object.type !== 'commit') throw fail('SW_REV_MISSING', `there is no commit ${oid}`)
    try {
      return parseCommit(object.oid, object.bytes)
    } catch (error) {
      throw fail('SW_GIT_FAILED', errorMessage(error), { cause: error })
    }
  }
  const commitOf = async (name: string): Promise<string | null> => {
    const [info] = await catFile.info([`${name}^{commit}`])
    if (info === 'ambiguous') throw fail('SW_AMBIGUOUS', `${name} is the beginning of several commits`)
    return info?.oid ?? null
  }
  const resolve = async (revision: string): Promise<string | null> => {
    const name = parseRevision(revision)
    if (name === null) return null
    let oid = await commitOf(name.base)
    for (const parent of name.parents) {
      if (oid === null) return null
      if (parent > 0) oid = (await commit(oid)).parents[parent - 1] ?? null
    }
    return oid
  }
  const entry = (tree: string, path: string) => entryAt(readTree, tree, path)
  const refTip = (ref: string) => (isFullRefName(ref) ? commitOf(ref) : Promise.resolve(null))
  const existing = async (...oids: string[]) => {
    for (const oid of oids) await commit(oid)
  }

  return {
    adapter: 'git',
    gitDir: options.gitDir,
    resolve,
    commit,
    entry,
    async refs(prefix) {
      const { stdout } = await git(context, ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/'])
      const lines = stdout
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
      return new Map(
        lines
          .map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))] as const)
          .filter(([name]) => name.startsWith(prefix)),
      )
    },
    diff: (from, to, path = '') =>
      diffBelow({ entryAt: entry, diffTrees: (a, b, prefix) => diffTree.diff(a, b, prefix) }, from, to, path),
    readBlobs: (oids, { maxBytes }) => catFile.blobs(oids, maxBytes),
    async log(from, to, limit) {
      await existing(to, ...(from === null ? [] : [from]))
      const { stdout } = await git(context, [
        'rev-list',
        '--date-order',
        `--max-count=${limit}`,
        to,
        ...(from === null ? [] : [`^${from}`]),
        '--',
      ])
      const oids = stdout
        .toString('latin1')
        .split('\n')
        .filter((line) => line !== '')
      return Promise.all(oids.map(commit))
    },
    async mergeBase(a, b) {
      await existing(a, b)
      const { code, stdout } = await git(context, ['merge-base', a, b], { accept: [0, 1] })
      return code === 1 ? null : stdout.toString('latin1').trim()
    },
    async isAncestor(ancestor, descendant) {
      await existing(ancestor, descendant)
      return (await git(context, ['merge-base', '--is-ancestor', ancestor, descendant], { accept: [0, 1] })).code === 0
    },
    writeCommit: (request) =>
      writeCommit(context, { refTip, treeOf: async (oid) => (await commit(oid)).tree, entry }, request),
    async readFile(ref, path, { maxBytes }) {
      const tip = await refTip(ref)
      const found = tip === null ? null : await entry((await commit(tip)).tree, path)
      if (found === null || !found.mode.startsWith('100')) return null
      for await (const blob of catFile.blobs([found.oid], maxBytes)) {
        if (blob.bytes !== null) return blob.bytes
        throw fail('SW_BODY_TOO_LARGE', `${path} at ${ref} has ${blob.size} bytes, more than ${maxBytes}`)
      }
      return null
    },
    listRemote: (remote) => listRemote(context, remote),
    fetch: (remote) => fetchRefs(context, remote),
    push: (remote) => pushRefs(context, remote),
    ...gitMerging(context, refTip),
    signatureOf: (commit, allowedSigners) => signatureOf(context, commit, allowedSigners),
    service: gitService(context),
    async close() {
      await Promise.all([catFile.close(), diffTree.close()])
      for (const child of context.children) killGroup(child)
    },
  }
}

/** Entries of trees that are remembered, all together. */
const REMEMBERED_ENTRIES = 20_000

/**
 * Remembers the trees read last: those above the paths that are asked for at each new head, of which all but a few are the
 * same as at the head before. An oid names its content, so nothing here is ever out of date.
 */
function rememberTrees(
  read: (oid: string) => Promise<readonly NamedEntry[]>,
): (oid: string) => Promise<readonly NamedEntry[]> {
  const trees = new Map<string, readonly NamedEntry[]>()
  let entries = 0
  return async (oid) => {
    const known = trees.get(oid)
    const tree = known ?? (await read(oid))
    if (trees.delete(oid)) entries -= tree.length
    trees.set(oid, tree)
    entries += tree.length
    for (const [oldest, { length }] of trees) {
      if (entries <= REMEMBERED_ENTRIES) break
      trees.delete(oldest)
      entries -= length
    }
    return tree
  }
}
