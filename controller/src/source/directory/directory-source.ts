import { lstat, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import { comparePaths, TREE_MODE } from '../git/objects/tree-object.ts'
import { isMissing } from '../git/repository-layout.ts'
import { ignoreMatcher } from '../ignore-rules.ts'
import type { SourceLog } from '../log.ts'
import type { Revision, Source, SourceFile, TreeEntry } from '../ports.ts'
import { blobOid, blobOidOfFile } from './blob-oid.ts'
import type { Listing, OidCache } from './directory-listing.ts'
import { digestOfFiles, listDirectory, listHidden } from './directory-listing.ts'
import { watchDirectory } from './directory-watch.ts'

/** Trees (heads and directories asked for) whose files are remembered. */
const REMEMBERED = 64
const MAX_HIDDEN = 10_000

type Files = ReadonlyMap<string, SourceFile>

export interface DirectorySourceConfig {
  readonly name: string
  readonly directory: string
  readonly clock: Clock
  readonly log: SourceLog
}

/**
 * A plain directory as a source, for working on a state repo without committing. Commit and tree of a head are both
 * `dir@<sha256>` over its files. `changes(from, …)` knows the trees of the last few heads and throws SW_REV_MISSING for any
 * other (`from: null` always works). `read` gives the bytes an oid stands for, or throws SW_CONFLICT when the file has changed
 * since; `head()` then has a newer tree. Throws SW_REPO_INVALID when the directory is missing or has no files,
 * SW_SOURCE_UNREACHABLE for anything unreadable in it.
 */
export async function openDirectorySource(config: DirectorySourceConfig): Promise<Source> {
  const root = resolve(config.directory)
  const cache: OidCache = new Map()
  const trees = new Map<string, Files>()
  /** Oid → absolute path where content was seen last; only a hint, `read` checks the bytes. */
  let places = new Map<string, string>()
  /** The same for files that are ignored but named by an object. */
  const hiddenPlaces = new Map<string, string>()
  const restarts = new Set<() => Promise<unknown>>()
  let rules = '[]'
  let ignored = ignoreMatcher([])

  const remember = (tree: string, files: Files) => {
    trees.delete(tree)
    trees.set(tree, files)
    const oldest = trees.keys().next().value
    if (trees.size > REMEMBERED && oldest !== undefined) trees.delete(oldest)
  }
  const treeOf = (tree: string): Files => {
    const files = trees.get(tree)
    if (files === undefined)
      throw fail('SW_REV_MISSING', `${tree} of ${root} is no longer known`, {
        remedy: 'compare with nothing instead: all files',
      })
    return files
  }
  const list = async (): Promise<Listing> => {
    const listing = await listDirectory(root, cache, () => config.clock.now().getTime())
    places = new Map([...listing.files.values()].map((file) => [file.oid, join(root, file.path)]))
    ignored = listing.ignored
    if (listing.rules !== rules) {
      rules = listing.rules
      for (const restart of restarts) await restart()
    }
    return listing
  }

  /** What an object names although the rules hide it from the parser: as it is on the disk now. */
  const hiddenEntry = async (path: string): Promise<TreeEntry | null> => {
    const entry = await listHidden(join(root, path), () => config.clock.now().getTime())
    if (entry === null) return null
    if (hiddenPlaces.size > MAX_HIDDEN) hiddenPlaces.clear()
    for (const file of entry.files.values()) hiddenPlaces.set(file.oid, join(root, path, file.path))
    if (entry.mode === TREE_MODE) remember(entry.oid, entry.files)
    return { oid: entry.oid, mode: entry.mode }
  }

  await list()
  return {
    name: config.name,
    async head(): Promise<Revision> {
      const listing = await list()
      if (listing.files.size === 0)
        throw fail('SW_REPO_INVALID', `${root} has no files`, {
          remedy: 'write at least one file, or name another directory',
        })
      const tree = `dir@${listing.digest}`
      remember(tree, listing.files)
      const author = { name: 'working copy', email: '', time: new Date(listing.newestMs).toISOString() }
      return { commit: tree, tree, message: `Files of ${root}\n`, author }
    },
    async changes(from, to) {
      const before = from === null ? new Map<string, SourceFile>() : treeOf(from)
      const after = treeOf(to)
      const gone = [...before.keys()].filter((path) => !after.has(path)).map((path) => ({ path, to: null }))
      const changed = [...after.values()].filter(
        (file) => before.get(file.path)?.oid !== file.oid || before.get(file.path)?.mode !== file.mode,
      )
      return [...gone, ...changed.map((file) => ({ path: file.path, to: file }))].sort((a, b) =>
        comparePaths(a.path, b.path),
      )
    },
    async *read(files, { maxBytes }) {
      for (const file of files) {
        const hints = [join(root, file.path), places.get(file.oid), hiddenPlaces.get(file.oid)]
        const known = hints.filter((place) => place !== undefined)
        yield { file, ...(await readOne(known, file, maxBytes)) }
      }
    },
    async oidOf(tree, path): Promise<TreeEntry | null> {
      const parts = path.split('/').filter((part) => part !== '' && part !== '.')
      if (parts.includes('..')) return null
      const normal = parts.join('/')
      if (normal === '') return { oid: tree, mode: TREE_MODE }
      const file = treeOf(tree).get(normal)
      if (file !== undefined) return { oid: file.oid, mode: file.mode }
      const below = filesBelow(treeOf(tree), `${normal}/`)
      if (below.size === 0) return ignored(normal, true) || ignored(normal) ? hiddenEntry(normal) : null
      const oid = `dir@${digestOfFiles(below.values())}`
      remember(oid, below)
      return { oid, mode: TREE_MODE }
    },
    async watch(onChange) {
      const start = () =>
        watchDirectory({
          root,
          ignored: () => ignored,
          onChange,
          log: config.log,
          monotonicMs: () => config.clock.monotonicMs(),
        })
      let watching = start()
      await watching
      // Each restart waits for the one before, so that no watcher is ever left over.
      const restart = () => (watching = watching.then((old) => old.close()).then(start))
      restarts.add(restart)
      return {
        async close() {
          restarts.delete(restart)
          await (await watching).close()
        },
      }
    },
    async close() {
      trees.clear()
      places.clear()
      hiddenPlaces.clear()
    },
  }
}

/** The files of a directory with their paths counted from it. */
function filesBelow(files: Files, prefix: string): Files {
  const below = new Map<string, SourceFile>()
  for (const file of files.values()) {
    if (file.path.startsWith(prefix))
      below.set(file.path.slice(prefix.length), { ...file, path: file.path.slice(prefix.length) })
  }
  return below
}

/** Only plain files have bytes: a symbolic link comes with none and size 0. */
async function readOne(
  places: readonly string[],
  file: SourceFile,
  maxBytes: number,
): Promise<{ size: number; bytes: Uint8Array | null }> {
  if (!file.mode.startsWith('100')) return { size: 0, bytes: null }
  for (const absolute of places) {
    const found = await readPlace(absolute, file.oid, maxBytes)
    if (found !== null) return found
  }
  throw fail('SW_CONFLICT', `${file.path} changed while it was read`, { remedy: 'read the new head' })
}

/** Null when other content is there by now, or none. */
async function readPlace(absolute: string, oid: string, maxBytes: number) {
  try {
    const info = await lstat(absolute)
    if (!info.isFile()) return null
    if (info.size > maxBytes)
      return (await blobOidOfFile(absolute, info.size)) === oid ? { size: info.size, bytes: null } : null
    const bytes = await readFile(absolute)
    return blobOid(bytes) === oid ? { size: bytes.byteLength, bytes } : null
  } catch (error) {
    if (isMissing(error)) return null
    throw fail('SW_SOURCE_UNREACHABLE', `cannot read ${absolute}: ${errorMessage(error)}`, {
      cause: error,
      remedy: 'make it readable for the user Stateward runs as',
    })
  }
}
