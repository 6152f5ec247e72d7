import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { commitOfRevision, isFromCluster } from '../kinds/cluster-origin.ts'
import type { Clock } from '../lib/clock.ts'
import type { WorldObject } from '../reconcile/world.ts'
import { openDirectorySource } from '../source/directory/directory-source.ts'
import type { GitSource } from '../source/git/git-source.ts'
import type { GitRepository, Person, Source } from '../source/ports.ts'
import type { Log } from '../store/ports.ts'

/** Where desired state is read from, and what else that place can do. */
export interface OpenSource {
  readonly source: Source
  /** Status and notes go here; null for a plain folder. */
  readonly repository: GitRepository | null
  readonly remoteUrl: string | null
  /** Asks a remote for news; nothing for what is local. */
  refresh(): Promise<void>
  /** The tree id of a directory at the revision an object was applied from; null when it is not there. */
  treeOf(object: WorldObject, path: string): Promise<string | null>
  /** Who brought an object's document, as it is, into the protected branch; null where there is no history. */
  introducedBy(object: WorldObject): Promise<Person | null>
  /** The regular files of such a tree, paths counted from it. */
  filesOf(tree: string): AsyncIterable<{ readonly path: string; readonly mode: string; readonly bytes: Uint8Array }>
  /** Writes the files of such a tree into a folder. */
  writeTree(tree: string, folder: string): Promise<void>
}

export function gitSource(source: GitSource, subfolder: string): OpenSource {
  const repository = acrossRevisions(source.repository)
  const prefix = subfolder === '.' ? '' : `${subfolder}/`
  return {
    source,
    repository,
    remoteUrl: source.remote?.url ?? null,
    refresh: () => source.refresh(),
    async treeOf(object, path) {
      const commit = await repository.commit(object.lastAppliedRevision)
      return (await repository.entry(commit.tree, prefix + path))?.oid ?? null
    },
    introducedBy: async (object) =>
      isFromCluster(object.file) ? null : await introducedBy(repository, prefix, object),
    filesOf: (tree) => filesOf(source, tree),
    writeTree: (tree, folder) => writeTree(source, tree, folder),
  }
}

/** A repository that also knows the revisions of it and a cluster, by the commit in them. */
function acrossRevisions(repository: GitRepository): GitRepository {
  const known = Object.entries(repository).map(([name, member]: [string, unknown]) => {
    if (typeof member !== 'function') return [name, member]
    return [
      name,
      (...given: unknown[]) => member(...given.map((one) => (typeof one === 'string' ? commitOfRevision(one) : one))),
    ]
  })
  return Object.fromEntries(known) as GitRepository
}

/** Commits that are looked at: beyond them nobody knows any more who it was. */
const MAX_LOOKED_AT = 1000

/** The author of the oldest commit, from the one it was applied at back along first parents, that has the same document. */
async function introducedBy(repository: GitRepository, prefix: string, object: WorldObject): Promise<Person> {
  let commit = await repository.commit(object.lastAppliedRevision)
  for (let i = 0; i < MAX_LOOKED_AT; i++) {
    const parent = commit.parents[0]
    if (parent === undefined) break
    const before = await repository.commit(parent)
    if ((await repository.entry(before.tree, prefix + object.file))?.oid !== object.oid) break
    commit = before
  }
  return commit.author
}

/** A plain folder, for working on a state repo without committing. */
export async function directorySource(directory: string, name: string, clock: Clock, log: Log): Promise<OpenSource> {
  const source = await openDirectorySource({ name, directory, clock, log })
  return {
    source,
    repository: null,
    remoteUrl: null,
    refresh: async () => {},
    // A folder keeps no history: what it holds now is what there is.
    treeOf: async (_object, path) => (await source.oidOf((await source.head()).tree, path))?.oid ?? null,
    introducedBy: async () => null,
    filesOf: (tree) => filesOf(source, tree),
    writeTree: (tree, folder) => writeTree(source, tree, folder),
  }
}

async function* filesOf(source: Source, tree: string) {
  const files = (await source.changes(null, tree)).flatMap(({ to }) => (to?.mode.startsWith('100') ? [to] : []))
  for await (const { file, bytes } of source.read(files, { maxBytes: MAX_FILE_BYTES }))
    if (bytes !== null) yield { path: file.path, mode: file.mode, bytes }
}

async function writeTree(source: Source, tree: string, folder: string): Promise<void> {
  for await (const { path, bytes, mode } of filesOf(source, tree)) await writeInto(folder, path, bytes, mode)
}

/** A program's file; larger ones do not belong into a state repo. */
const MAX_FILE_BYTES = 100 * 1024 * 1024

async function writeInto(folder: string, path: string, bytes: Uint8Array, mode: string): Promise<void> {
  const target = join(folder, path)
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, bytes, { mode: mode === '100755' ? 0o755 : 0o644, flag: 'wx' })
}
