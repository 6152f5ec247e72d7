import fs from 'node:fs'
import isomorphic from 'isomorphic-git'
import { fail } from '../../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../../lib/errors.ts'
import type { Commit, TreeChange, TreeEntry } from '../../ports.ts'
import { incomplete } from '../incomplete.ts'
import { parseCommit } from '../objects/commit-object.ts'
import type { NamedEntry } from '../objects/tree-object.ts'
import { comparePaths, parseTree, TREE_MODE } from '../objects/tree-object.ts'

/** Beyond this many files isomorphic-git is too slow to follow a repository. */
const MAX_FILES = 1000

/** Trees kept parsed. Unchanged trees are shared between commits, so one repository of the allowed size fits many times. */
const MAX_TREES = 5000

export interface RawObject {
  readonly type: string
  readonly bytes: Uint8Array
}

/**
 * Objects of a repository through isomorphic-git, whole and unparsed, with one cache for all reads. The tree walk is
 * our own: it skips equal subtrees before reading them, which isomorphic-git's `walk` does not.
 */
export class ObjectStore {
  readonly gitDir: string
  /** Shared by every call into isomorphic-git, which is an order of magnitude slower without. */
  cache: object = {}
  readonly #trees = new Map<string, readonly NamedEntry[]>()
  readonly #fileCounts = new Map<string, number>()

  constructor(gitDir: string) {
    this.gitDir = gitDir
  }

  /** Forgets packs and trees; after a fetch, so that memory does not keep packs nobody asks for again. */
  reset(): void {
    this.cache = {}
    this.#trees.clear()
    this.#fileCounts.clear()
  }

  /** Null when the object is missing. */
  async object(oid: string): Promise<RawObject | null> {
    try {
      const { type, object } = await isomorphic.readObject({
        fs,
        gitdir: this.gitDir,
        cache: this.cache,
        oid,
        format: 'content',
      })
      return { type: type ?? 'unknown', bytes: object as Uint8Array }
    } catch (error) {
      if (isNotFound(error)) return null
      throw gitError(error)
    }
  }

  async write(type: 'blob' | 'tree' | 'commit', bytes: Uint8Array): Promise<string> {
    try {
      return await isomorphic.writeObject({ fs, gitdir: this.gitDir, type, object: bytes, format: 'content' })
    } catch (error) {
      throw gitError(error)
    }
  }

  async commit(oid: string): Promise<Commit> {
    const object = await this.object(oid)
    if (object === null || object.type !== 'commit') throw fail('SW_REV_MISSING', `there is no commit ${oid}`)
    try {
      return parseCommit(oid, object.bytes)
    } catch (error) {
      throw fail('SW_GIT_FAILED', errorMessage(error), { cause: error })
    }
  }

  async tree(oid: string): Promise<readonly NamedEntry[]> {
    const known = this.#trees.get(oid)
    if (known !== undefined) return known
    const object = await this.object(oid)
    if (object === null) throw incomplete(`tree ${oid} is missing`)
    if (object.type !== 'tree') throw fail('SW_GIT_FAILED', `object ${oid} is a ${object.type}, not a tree`)
    const entries = parseTree(object.bytes, 20)
    if (this.#trees.size >= MAX_TREES) {
      this.#trees.clear()
      this.#fileCounts.clear()
    }
    this.#trees.set(oid, entries)
    return entries
  }

  /** Files that differ, sorted by path; throws SW_GIT_BINARY_REQUIRED when `to` is a tree of too many files. */
  async diff(from: string | null, to: string | null, prefix: string): Promise<readonly TreeChange[]> {
    if (to !== null) await this.#refuseLarge(to)
    const changes: TreeChange[] = []
    await this.#collect(from, to, prefix, changes)
    return changes.sort((a, b) => comparePaths(a.path, b.path))
  }

  async #collect(from: string | null, to: string | null, prefix: string, changes: TreeChange[]): Promise<void> {
    if (from === to) return
    const before = new Map((from === null ? [] : await this.tree(from)).map((entry) => [entry.name, entry]))
    const after = new Map((to === null ? [] : await this.tree(to)).map((entry) => [entry.name, entry]))
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const a = before.get(name)
      const b = after.get(name)
      if (a?.oid === b?.oid && a?.mode === b?.mode) continue
      const path = prefix + name
      const leaf = { path, from: leafOf(a), to: leafOf(b) }
      if (leaf.from !== null || leaf.to !== null) changes.push(leaf)
      await this.#collect(treeOf(a), treeOf(b), `${path}/`, changes)
    }
  }

  async #refuseLarge(tree: string): Promise<void> {
    const files = await this.#countFiles(tree)
    if (files > MAX_FILES)
      throw fail('SW_GIT_BINARY_REQUIRED', `a repository of more than ${MAX_FILES} files needs the git binary`, {
        details: { files },
      })
  }

  /** Stops soon after the limit: the exact number of a large tree is of no use. */
  async #countFiles(tree: string): Promise<number> {
    const known = this.#fileCounts.get(tree)
    if (known !== undefined) return known
    let files = 0
    for (const entry of await this.tree(tree)) {
      files += entry.mode === TREE_MODE ? await this.#countFiles(entry.oid) : 1
      if (files > MAX_FILES) break
    }
    this.#fileCounts.set(tree, files)
    return files
  }
}

function leafOf(entry: NamedEntry | undefined): TreeEntry | null {
  return entry === undefined || entry.mode === TREE_MODE ? null : { oid: entry.oid, mode: entry.mode }
}

function treeOf(entry: NamedEntry | undefined): string | null {
  return entry?.mode === TREE_MODE ? entry.oid : null
}

export function errorCode(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code
}

export function isNotFound(error: unknown): boolean {
  return errorCode(error) === 'NotFoundError'
}

/** Any failure of isomorphic-git as one of ours. */
export function gitError(error: unknown): StatewardError {
  if (error instanceof StatewardError) return error
  return fail('SW_GIT_FAILED', `reading the repository failed: ${errorMessage(error)}`, {
    cause: error,
    details: { gitCode: errorCode(error) ?? null },
  })
}
