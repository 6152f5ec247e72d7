import type { Commit } from '../../ports.ts'
import type { ObjectStore } from './object-store.ts'

/** Walks of the commit graph. All read every commit they touch, which is fine for the small repositories of this adapter. */

async function ancestors(store: ObjectStore, start: string): Promise<Map<string, Commit>> {
  const seen = new Map<string, Commit>()
  const open = [start]
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    if (seen.has(oid)) continue
    const commit = await store.commit(oid)
    seen.set(oid, commit)
    open.push(...commit.parents)
  }
  return seen
}

export async function isAncestor(store: ObjectStore, ancestor: string, descendant: string): Promise<boolean> {
  await store.commit(ancestor)
  return (await ancestors(store, descendant)).has(ancestor)
}

/** A best common ancestor: one that no other common ancestor descends from, the newest of those; null when there is none. */
export async function mergeBase(store: ObjectStore, a: string, b: string): Promise<string | null> {
  const ofA = await ancestors(store, a)
  const common = [...(await ancestors(store, b)).values()].filter((commit) => ofA.has(commit.oid))
  const surpassed = new Set(common.flatMap((commit) => commit.parents))
  // A common ancestor that another one has as parent, however far up, is a parent of a common ancestor itself.
  const best = common.filter((commit) => !surpassed.has(commit.oid)).sort(newestFirst)
  return best[0]?.oid ?? null
}

/** `git rev-list --date-order`: by committer time, newest first, no parent before its children. */
export async function log(
  store: ObjectStore,
  from: string | null,
  to: string,
  limit: number,
): Promise<readonly Commit[]> {
  const hidden = from === null ? new Map<string, Commit>() : await ancestors(store, from)
  const range = new Map([...(await ancestors(store, to))].filter(([oid]) => !hidden.has(oid)))
  const children = new Map<string, number>()
  for (const commit of range.values())
    for (const parent of commit.parents) children.set(parent, (children.get(parent) ?? 0) + 1)
  const ready = [...range.values()].filter((commit) => !children.has(commit.oid))
  const listed: Commit[] = []
  while (ready.length > 0 && listed.length < limit) {
    const next = ready.sort(newestFirst).shift()!
    listed.push(next)
    for (const oid of next.parents) {
      const left = children.get(oid)! - 1
      children.set(oid, left)
      const parent = range.get(oid)
      if (left === 0 && parent !== undefined) ready.push(parent)
    }
  }
  return listed
}

function newestFirst(a: Commit, b: Commit): number {
  return a.committer.time < b.committer.time ? 1 : a.committer.time > b.committer.time ? -1 : 0
}
