import type { WriteCommit } from '../../ports.ts'
import { serializeCommit } from '../objects/commit-object.ts'
import type { NamedEntry } from '../objects/tree-object.ts'
import { serializeTree, TREE_MODE } from '../objects/tree-object.ts'
import { checkWrite, expectedTip, modeOfWrite, refMoved } from '../write-request.ts'
import type { ObjectStore } from './object-store.ts'
import { readRef, swapRef } from './ref-store.ts'

/** What changes below one tree: a new file, a deletion, or changes further down. */
interface Change {
  file: { readonly bytes: Uint8Array; readonly path: string } | null
  deleted: boolean
  readonly below: Map<string, Change>
}

/** Writes blobs, the trees on the way to them and the commit, then moves the ref from `parent` under git's lock. */
export async function writeCommit(store: ObjectStore, request: WriteCommit): Promise<string> {
  const checked = checkWrite(request)
  const before = await readRef(store.gitDir, request.ref)
  const expected = expectedTip(request)
  if (before !== expected) throw refMoved(request.ref, expected, before)

  const root = emptyChange()
  for (const path of checked.deletes) changeAt(root, path).deleted = true
  for (const { path, bytes } of checked.writes) changeAt(root, path).file = { bytes, path }
  const base = request.base === undefined ? request.parent : request.base
  const baseTree = base === null ? null : (await store.commit(base)).tree
  const tree = (await writeTree(store, request, baseTree, root)) ?? (await store.write('tree', new Uint8Array()))
  const parents = request.parent === null ? [] : [request.parent]
  const commit = await store.write('commit', serializeCommit({ ...request, tree, parents }))
  await swapRef(store.gitDir, request.ref, expected, commit)
  return commit
}

function emptyChange(): Change {
  return { file: null, deleted: false, below: new Map() }
}

function changeAt(root: Change, path: string): Change {
  let at = root
  for (const name of path.split('/')) {
    const next = at.below.get(name) ?? emptyChange()
    at.below.set(name, next)
    at = next
  }
  return at
}

/** The oid of the changed tree; null when nothing is left in it, since git has no empty directories. */
async function writeTree(
  store: ObjectStore,
  request: WriteCommit,
  base: string | null,
  change: Change,
): Promise<string | null> {
  if (base !== null && change.below.size === 0) return base
  const entries = new Map((base === null ? [] : await store.tree(base)).map((entry) => [entry.name, entry]))
  for (const [name, next] of change.below) {
    const entry = await writeEntry(store, request, name, entries.get(name), next)
    if (entry === undefined) entries.delete(name)
    else entries.set(name, entry)
  }
  return entries.size === 0 ? null : await store.write('tree', serializeTree([...entries.values()]))
}

async function writeEntry(
  store: ObjectStore,
  request: WriteCommit,
  name: string,
  existing: NamedEntry | undefined,
  change: Change,
): Promise<NamedEntry | undefined> {
  if (change.file === null && change.below.size > 0) {
    const tree = existing?.mode === TREE_MODE && !change.deleted ? existing.oid : null
    const oid = await writeTree(store, request, tree, change)
    if (oid !== null) return { name, mode: TREE_MODE, oid }
    // Deleting below a path that is a file leaves the file.
    return existing === undefined || existing.mode === TREE_MODE || change.deleted ? undefined : existing
  }
  if (change.file === null) return change.deleted ? undefined : existing
  // Below a written file there can only be deletions.
  return {
    name,
    mode: modeOfWrite(request, change.file.path, existing?.mode),
    oid: await store.write('blob', change.file.bytes),
  }
}
