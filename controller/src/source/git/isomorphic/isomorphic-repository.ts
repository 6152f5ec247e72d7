import fs from 'node:fs'
import isomorphic from 'isomorphic-git'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Blob, GitRepository } from '../../ports.ts'
import { incomplete } from '../incomplete.ts'
import { diffBelow, entryAt } from '../objects/tree-object.ts'
import { isFullRefName, isOid, parseRevision } from '../ref-names.ts'
import type { RepositoryLayout } from '../repository-layout.ts'
import { isAncestor, log, mergeBase } from './history.ts'
import { errorCode, gitError, isNotFound, ObjectStore } from './object-store.ts'
import { listRefs, readRef, unsupportedFeature } from './ref-store.ts'
import { fetchRefs, listRemote, peel } from './remote.ts'
import { writeCommit } from './write-commit.ts'

/**
 * The repository through isomorphic-git, where no git binary is: local repositories of at most 1,000 files, and remotes
 * over http(s) for fetching. Everything else answers SW_GIT_BINARY_REQUIRED. Blobs are loaded whole before their size
 * is known.
 */
export async function openIsomorphicRepository(layout: RepositoryLayout): Promise<GitRepository> {
  const { gitDir } = layout
  const feature = await unsupportedFeature(gitDir, layout.commonDir)
  if (feature !== null) throw fail('SW_GIT_BINARY_REQUIRED', `${gitDir} uses ${feature}, which needs the git binary`)
  const store = new ObjectStore(gitDir)

  const commitOf = async (name: string): Promise<string | null> => {
    const oid = (await oidOf(gitDir, name)) ?? null
    if (oid === null) return null
    const commit = await peel(store, oid)
    return (await store.object(commit))?.type === 'commit' ? commit : null
  }
  const resolve = async (revision: string): Promise<string | null> => {
    const name = parseRevision(revision)
    if (name === null) return null
    let oid = await commitOf(name.base)
    for (const parent of name.parents) {
      if (oid === null) return null
      if (parent > 0) oid = (await store.commit(oid)).parents[parent - 1] ?? null
    }
    return oid
  }
  const entry = (tree: string, path: string) => entryAt((oid) => store.tree(oid), tree, path)

  return {
    adapter: 'isomorphic-git',
    gitDir,
    resolve,
    commit: (oid) => store.commit(oid),
    entry,
    refs: (prefix) => listRefs(gitDir, prefix),
    diff: (from, to, path = '') =>
      diffBelow({ entryAt: entry, diffTrees: (a, b, prefix) => store.diff(a, b, prefix) }, from, to, path),
    readBlobs: (oids, { maxBytes }) => readBlobs(store, oids, maxBytes),
    async log(from, to, limit) {
      return log(store, from, to, limit)
    },
    mergeBase: (a, b) => mergeBase(store, a, b),
    isAncestor: (ancestor, descendant) => isAncestor(store, ancestor, descendant),
    writeCommit: (request) => writeCommit(store, request),
    async readFile(ref, path, { maxBytes }) {
      const tip = isFullRefName(ref) ? await commitOf(ref) : null
      const found = tip === null ? null : await entry((await store.commit(tip)).tree, path)
      if (found === null || !found.mode.startsWith('100')) return null
      for await (const blob of readBlobs(store, [found.oid], maxBytes)) {
        if (blob.bytes !== null) return blob.bytes
        throw fail('SW_BODY_TOO_LARGE', `${path} at ${ref} has ${blob.size} bytes, more than ${maxBytes}`)
      }
      return null
    },
    listRemote,
    fetch: (remote) => fetchRefs(store, remote),
    async push() {
      throw fail('SW_GIT_BINARY_REQUIRED', 'pushing needs the git binary')
    },
    mergeTrees: needsGit('merging'),
    commitTree: needsGit('merging'),
    moveRef: needsGit('moving a ref'),
    deleteRemoteRef: needsGit('taking a ref away'),
    patch: needsGit('comparing'),
    signatureOf: needsGit('verifying a signature'),
    service: null,
    async close() {
      store.reset()
    },
  }
}

function needsGit(what: string): () => Promise<never> {
  return async () => {
    throw fail('SW_GIT_BINARY_REQUIRED', `${what} needs the git binary`)
  }
}

/** What a ref, an oid or the beginning of one names, in git's order; null when there is nothing. */
async function oidOf(gitdir: string, name: string): Promise<string | null> {
  if (isOid(name)) return name
  const ref = await readRef(gitdir, name)
  if (ref !== null || !/^[0-9a-f]{7,39}$/.test(name)) return ref
  try {
    return await isomorphic.expandOid({ fs, gitdir, oid: name })
  } catch (error) {
    if (isNotFound(error)) return null
    if (errorCode(error) === 'AmbiguousError') throw fail('SW_AMBIGUOUS', `${name} is the beginning of several objects`)
    throw gitError(error)
  }
}

async function* readBlobs(store: ObjectStore, oids: readonly string[], maxBytes: number): AsyncGenerator<Blob> {
  for (const oid of oids) {
    const object = await store.object(oid)
    if (object === null) throw incomplete(`object ${oid} is missing`)
    if (object.type !== 'blob') throw fail('SW_GIT_FAILED', `object ${oid} is a ${object.type}, not a blob`)
    const size = object.bytes.byteLength
    yield { oid, size, bytes: size > maxBytes ? null : object.bytes }
  }
}
