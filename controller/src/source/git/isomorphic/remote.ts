import fs from 'node:fs'
import isomorphic from 'isomorphic-git'
import { fail } from '../../../lib/error-catalogue.ts'
import { errorMessage } from '../../../lib/errors.ts'
import type { Refspec } from '../refspec.ts'
import { parseRefspecs, translate } from '../refspec.ts'
import { isHttpUrl, redactUrls, splitCredentials } from '../remote-url.ts'
import { isAncestor } from './history.ts'
import { httpClient } from './http-client.ts'
import type { ObjectStore } from './object-store.ts'
import { gitError } from './object-store.ts'
import { listRefs, readRef, swapRef } from './ref-store.ts'

/** isomorphic-git insists on a configured remote and writes the refs its refspec matches: this one matches none. */
const REMOTE = 'stateward'
const NO_REFS = '+refs/stateward/none:refs/stateward/none'

function connect(url: string, timeoutMs: number) {
  if (!isHttpUrl(url))
    throw fail(
      'SW_GIT_BINARY_REQUIRED',
      `${redactUrls(url)} can only be reached with the git binary: without it remotes are http(s)`,
    )
  const { url: address, credentials } = splitCredentials(url)
  const signal = AbortSignal.timeout(timeoutMs)
  return {
    http: httpClient(signal),
    url: address,
    ...(credentials === null ? {} : { onAuth: () => credentials, onAuthFailure: () => ({ cancel: true }) }),
  }
}

export async function listRemote(remote: {
  readonly url: string
  readonly patterns: readonly string[]
  readonly timeoutMs: number
}): Promise<ReadonlyMap<string, string>> {
  const connection = connect(remote.url, remote.timeoutMs)
  try {
    const refs = await isomorphic.listServerRefs({ ...connection, protocolVersion: 1 })
    const wanted = refs.filter(({ ref }) =>
      remote.patterns.some((pattern) =>
        pattern.endsWith('*') ? ref.startsWith(pattern.slice(0, -1)) : ref === pattern,
      ),
    )
    return new Map(wanted.filter(({ ref }) => !ref.endsWith('^{}')).map(({ ref, oid }) => [ref, oid]))
  } catch (error) {
    throw unreachable(connection.url, error)
  }
}

export async function fetchRefs(
  store: ObjectStore,
  remote: { readonly url: string; readonly refspecs: readonly string[]; readonly timeoutMs: number },
): Promise<void> {
  const refspecs = parseRefspecs(remote.refspecs)
  const connection = connect(remote.url, remote.timeoutMs)
  const there = await listRemote({
    url: remote.url,
    patterns: refspecs.map(({ source }) => source),
    timeoutMs: remote.timeoutMs,
  })
  for (const refspec of refspecs) {
    const found = translate(refspec, there)
    if (found.length === 0 && !refspec.source.endsWith('*'))
      throw fail('SW_REF_MISSING', `${connection.url} has no ${refspec.source}`, { details: { ref: refspec.source } })
    for (const ref of found) await fetchRef(store, connection, ref, refspec.force)
    await prune(store, refspec, new Set(found.map(({ target }) => target)))
  }
}

async function fetchRef(
  store: ObjectStore,
  connection: ReturnType<typeof connect>,
  ref: { source: string; target: string; oid: string },
  force: boolean,
): Promise<void> {
  const before = await readRef(store.gitDir, ref.target)
  if (before === ref.oid) return
  if ((await store.object(ref.oid)) === null) await download(store, connection, ref)
  const to = await peel(store, ref.oid)
  if (!force && before !== null && !(await isAncestor(store, await peel(store, before), to))) {
    throw fail('SW_CONFLICT', `${connection.url} rewrote ${ref.source}, which is fetched without force`)
  }
  await swapRef(store.gitDir, ref.target, before, ref.oid)
}

async function download(
  store: ObjectStore,
  connection: ReturnType<typeof connect>,
  ref: { source: string; target: string; oid: string },
): Promise<void> {
  const gitdir = store.gitDir
  try {
    if ((await isomorphic.getConfig({ fs, gitdir, path: `remote.${REMOTE}.fetch` })) !== NO_REFS) {
      await isomorphic.setConfig({ fs, gitdir, path: `remote.${REMOTE}.fetch`, value: NO_REFS })
    }
    // `ref` names the local ref whose commit is offered as "have": without it each fetch downloads everything again.
    await isomorphic.fetch({
      fs,
      gitdir,
      cache: store.cache,
      ...connection,
      remote: REMOTE,
      ref: ref.target,
      remoteRef: ref.source,
      singleBranch: true,
      tags: false,
    })
  } catch (error) {
    throw unreachable(connection.url, error)
  }
  store.reset()
  if ((await store.object(ref.oid)) === null)
    throw fail('SW_GIT_FAILED', `${connection.url} moved ${ref.source} while it was fetched`, { remedy: 'fetch again' })
}

async function prune(store: ObjectStore, refspec: Refspec, kept: ReadonlySet<string>): Promise<void> {
  if (!refspec.target.endsWith('*')) return
  for (const [ref, oid] of await listRefs(store.gitDir, refspec.target.slice(0, -1))) {
    if (!kept.has(ref)) await swapRef(store.gitDir, ref, oid, null)
  }
}

/** The commit behind a tag object; any other object stays itself. */
export async function peel(store: ObjectStore, oid: string): Promise<string> {
  const object = await store.object(oid)
  if (object?.type !== 'tag') return oid
  const target = /^object ([0-9a-f]{40})$/m.exec(Buffer.from(object.bytes).toString('latin1'))?.[1]
  if (target === undefined) throw fail('SW_GIT_FAILED', `tag ${oid} names no object`)
  return peel(store, target)
}

function unreachable(url: string, error: unknown) {
  const own = gitError(error)
  if (own.cause === undefined) return own
  const why = (error as { cause?: unknown }).cause
  const detail = why === undefined ? errorMessage(error) : `${errorMessage(error)} (${errorMessage(why)})`
  return fail('SW_SOURCE_UNREACHABLE', `${redactUrls(url)} cannot be reached: ${redactUrls(detail)}`, { cause: error })
}
