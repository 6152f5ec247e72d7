import fs from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import isomorphic from 'isomorphic-git'
import { fail } from '../../../lib/error-catalogue.ts'
import { isFullRefName } from '../ref-names.ts'
import { isMissing } from '../repository-layout.ts'
import { refMoved } from '../write-request.ts'
import { gitError, isNotFound } from './object-store.ts'

const LOCK_WAIT_MS = 1000

/** The oid a full ref name holds, of a tag the tag object's own; null when it does not exist. Read from disk each time. */
export async function readRef(gitDir: string, ref: string): Promise<string | null> {
  try {
    return await isomorphic.resolveRef({ fs, gitdir: gitDir, ref })
  } catch (error) {
    if (isNotFound(error)) return null
    throw gitError(error)
  }
}

export async function listRefs(gitDir: string, prefix: string): Promise<ReadonlyMap<string, string>> {
  const refs = new Map<string, string>()
  try {
    for (const name of await isomorphic.listRefs({ fs, gitdir: gitDir, filepath: 'refs' })) {
      const ref = `refs/${name}`
      // A lock file in passing is not a ref.
      const oid = ref.startsWith(prefix) && isFullRefName(ref) ? await readRef(gitDir, ref) : null
      if (oid !== null) refs.set(ref, oid)
    }
  } catch (error) {
    throw gitError(error)
  }
  return refs
}

/**
 * Moves a ref from `expected` (null = must not exist) to `oid` (null = delete). isomorphic-git has no compare-and-swap, so
 * this takes git's own lock: `<ref>.lock`, made exclusively, renamed into place. It excludes other git processes too.
 * Throws SW_CONFLICT when the ref is elsewhere.
 */
export async function swapRef(gitDir: string, ref: string, expected: string | null, oid: string | null): Promise<void> {
  const path = join(gitDir, ref)
  const lock = await takeLock(`${path}.lock`, ref)
  let moved = false
  try {
    const actual = await readRef(gitDir, ref)
    if (actual !== expected) throw refMoved(ref, expected, actual)
    if (oid === null) {
      await isomorphic.deleteRef({ fs, gitdir: gitDir, ref })
      return
    }
    await lock.writeFile(`${oid}\n`)
    await lock.sync()
    await rename(`${path}.lock`, path)
    moved = true
  } catch (error) {
    throw gitError(error)
  } finally {
    await lock.close()
    // Once renamed, a lock of that name belongs to somebody else.
    if (!moved) await rm(`${path}.lock`, { force: true })
  }
}

async function takeLock(path: string, ref: string) {
  for (const started = performance.now(); ; ) {
    try {
      await mkdir(dirname(path), { recursive: true })
      return await open(path, 'wx', 0o644)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // ENOENT: another writer removed the empty directory in between.
      const mayPass = code === 'EEXIST' || code === 'ENOENT'
      if (!mayPass || performance.now() - started > LOCK_WAIT_MS)
        throw fail('SW_GIT_FAILED', `${ref} cannot be locked (${code}): ${path}`, {
          cause: error,
          remedy: 'if no git process runs there, remove the lock file',
        })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** True when the repository has a feature isomorphic-git does not know; it would read such a repository wrongly. */
export async function unsupportedFeature(gitDir: string, commonDir: string): Promise<string | null> {
  if (commonDir !== gitDir) return 'a linked work tree'
  const extension = async (name: string) =>
    (await isomorphic.getConfig({ fs, gitdir: gitDir, path: `extensions.${name}` })) as string | undefined
  if (((await extension('objectformat')) ?? 'sha1') !== 'sha1') return 'sha256 object ids'
  if (((await extension('refstorage')) ?? 'files') !== 'files') return 'a reftable'
  if ((await extension('partialclone')) !== undefined) return 'a partial clone'
  try {
    if ((await readFile(join(gitDir, 'objects/info/alternates'), 'utf8')).trim() !== '')
      return 'alternate object stores'
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return null
}
