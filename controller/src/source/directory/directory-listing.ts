import type { BigIntStats, Dirent } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import { comparePaths, SYMLINK_MODE, TREE_MODE } from '../git/objects/tree-object.ts'
import { isMissing } from '../git/repository-layout.ts'
import type { IgnoreFile, IgnoreMatcher } from '../ignore-rules.ts'
import { IGNORE_FILE, ignoreMatcher } from '../ignore-rules.ts'
import type { SourceFile } from '../ports.ts'
import { blobOid, blobOidOfFile } from './blob-oid.ts'

export interface Listing {
  /** sha256 over the sorted paths, modes and oids. */
  readonly digest: string
  /** Sorted by path. */
  readonly files: ReadonlyMap<string, SourceFile>
  /** Milliseconds since 1970 of the newest file; 0 without files. */
  readonly newestMs: number
  readonly ignored: IgnoreMatcher
  /** Equal text, equal rules. */
  readonly rules: string
}

/** Path → oid as of a size and times; trusted while those are the same and older than the moment of hashing. */
export type OidCache = Map<string, { readonly stamp: string; readonly hashedMs: number; readonly oid: string }>

/** A file written again within this time may keep its time stamp. */
const RACY_MS = 100
const ATTEMPTS = 5

/** Thrown inside a pass when something moved under it: the pass is done again. */
class MovedMeanwhile extends Error {}

/**
 * Lists a directory as git would: plain files and symbolic links (not followed), without `.git` and what `.statewardignore`
 * hides. Anything that cannot be read throws SW_SOURCE_UNREACHABLE, so a listing is always complete; a tree that does not
 * hold still for five passes does too.
 */
export async function listDirectory(
  root: string,
  cache: OidCache,
  nowMs: () => number,
  options: { readonly rules: boolean } = { rules: true },
): Promise<Listing> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await new Pass(root, cache, nowMs, options.rules).run()
    } catch (error) {
      if (!(error instanceof MovedMeanwhile)) throw error
      if (attempt === ATTEMPTS)
        throw fail('SW_SOURCE_UNREACHABLE', `${root} changes faster than it can be read (${error.message})`, {
          remedy: 'wait until the program that writes there is done',
        })
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt))
    }
  }
}

/**
 * A file or directory that ignore rules hide, read without rules: its files with paths counted from it ('' for a file), and
 * the oid and mode of it; null when there is nothing, or only a symbolic link.
 */
export async function listHidden(
  path: string,
  nowMs: () => number,
): Promise<{ readonly oid: string; readonly mode: string; readonly files: ReadonlyMap<string, SourceFile> } | null> {
  try {
    const info = await lstat(path)
    if (info.isDirectory()) {
      const { digest, files } = await listDirectory(path, new Map(), nowMs, { rules: false })
      return { oid: `dir@${digest}`, mode: TREE_MODE, files }
    }
    const oid = info.isFile() ? await blobOidOfFile(path, info.size) : null
    if (oid === null) return null
    const mode = (info.mode & 0o100) === 0 ? '100644' : '100755'
    return { oid, mode, files: new Map([['', { path: '', oid, mode }]]) }
  } catch (error) {
    if (isMissing(error)) return null
    throw error instanceof StatewardError ? error : unreadable(path, error)
  }
}

class Pass {
  readonly #root: string
  readonly #cache: OidCache
  readonly #nowMs: () => number
  readonly #obeysRules: boolean
  readonly #files: SourceFile[] = []
  readonly #rules: IgnoreFile[] = []
  #ignored: IgnoreMatcher = ignoreMatcher([])
  #newestMs = 0

  constructor(root: string, cache: OidCache, nowMs: () => number, obeysRules: boolean) {
    this.#obeysRules = obeysRules
    this.#root = root
    this.#cache = cache
    this.#nowMs = nowMs
  }

  async run(): Promise<Listing> {
    await this.#directory('')
    this.#files.sort((a, b) => comparePaths(a.path, b.path))
    const files = new Map(this.#files.map((file) => [file.path, file]))
    for (const path of this.#cache.keys()) if (!files.has(path)) this.#cache.delete(path)
    return {
      digest: digestOfFiles(files.values()),
      files,
      newestMs: this.#newestMs,
      ignored: this.#ignored,
      rules: JSON.stringify(this.#rules),
    }
  }

  async #directory(path: string): Promise<void> {
    const entries = await this.#guard(path, () => readdir(join(this.#root, path), { withFileTypes: true }))
    if (this.#obeysRules && entries.some((entry) => entry.name === IGNORE_FILE && entry.isFile())) {
      const text = await this.#guard(path, () => readFile(join(this.#root, path, IGNORE_FILE), 'utf8'))
      this.#rules.push({ directory: path, text })
      this.#ignored = ignoreMatcher(this.#rules)
    }
    const wanted = entries.filter((entry) => !this.#ignored(childPath(path, entry), entry.isDirectory()))
    await Promise.all(
      wanted
        .filter((entry) => entry.isFile() || entry.isSymbolicLink())
        .map((entry) => this.#file(childPath(path, entry))),
    )
    // One folder after the other: their ignore files must be read in a known order.
    for (const entry of wanted) if (entry.isDirectory()) await this.#directory(childPath(path, entry))
  }

  async #file(path: string): Promise<void> {
    const absolute = join(this.#root, path)
    const info = await this.#guard(path, () => lstat(absolute, { bigint: true }))
    this.#newestMs = Math.max(this.#newestMs, Number(info.mtimeNs / 1_000_000n))
    if (info.isSymbolicLink()) {
      const target = await this.#guard(path, () => readlink(absolute, { encoding: 'buffer' }))
      this.#files.push({ path, mode: SYMLINK_MODE, oid: blobOid(target) })
      return
    }
    const mode = (info.mode & 0o100n) === 0n ? '100644' : '100755'
    this.#files.push({ path, mode, oid: await this.#oid(path, absolute, info) })
  }

  async #oid(path: string, absolute: string, info: BigIntStats): Promise<string> {
    const stamp = `${info.ino}:${info.size}:${info.mtimeNs}:${info.ctimeNs}`
    const known = this.#cache.get(path)
    if (known?.stamp === stamp && Number(info.ctimeNs / 1_000_000n) + RACY_MS < known.hashedMs) return known.oid
    const hashedMs = this.#nowMs()
    const oid = await this.#guard(path, () => blobOidOfFile(absolute, Number(info.size)))
    if (oid === null) throw new MovedMeanwhile(path)
    this.#cache.set(path, { stamp, hashedMs, oid })
    return oid
  }

  async #guard<T>(path: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (isMissing(error) && path !== '') throw new MovedMeanwhile(path)
      if (isMissing(error))
        throw fail('SW_REPO_INVALID', `${this.#root} is not a directory`, {
          cause: error,
          remedy: 'name a directory that exists',
        })
      throw unreadable(join(this.#root, path), error)
    }
  }
}

function unreadable(path: string, error: unknown): StatewardError {
  return fail('SW_SOURCE_UNREACHABLE', `cannot read ${path}: ${errorMessage(error)}`, {
    cause: error,
    remedy: `make it readable for the user Stateward runs as, or list it in ${IGNORE_FILE}; the last good revision stays in force`,
  })
}

function childPath(directory: string, entry: Dirent): string {
  return directory === '' ? entry.name : `${directory}/${entry.name}`
}

export function digestOfFiles(files: Iterable<SourceFile>): string {
  let text = ''
  for (const { path, mode, oid } of files) text += `${mode} ${oid}\t${path}\0`
  return sha256(text)
}
