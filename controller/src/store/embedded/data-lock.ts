import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { hasCode, readIfThere } from '../../lib/error-code.ts'
import { isObject } from '../../lib/json.ts'
import { bootId, identityOf, isAlive, type ProcessIdentity, pidNamespace } from '../../lib/process-identity.ts'

/** Who holds a data directory, as its file `lock` says. */
export interface LockHolder extends ProcessIdentity {
  readonly host: string
  readonly boot: string
  readonly pidNamespace: string
}

export interface DataLock {
  readonly path: string
  /** Gives the directory up; called again, it does nothing. */
  release(): void
}

/** Notes of processes that share the directory, one file a pid. */
const SHARED = 'processes'

/**
 * Takes `<data>/lock` for this process, making the directory if need be. One process at a time holds it, whatever races
 * and crashes: the file appears whole or not at all (a hard link), and a stale one is replaced under a lock of its own.
 * Throws SW_DATA_DIR_LOCKED, naming the holder, while that runs.
 */
export function acquireDataLock(dataDir: string): DataLock {
  mkdirSync(dataDir, { recursive: true })
  const path = join(dataDir, 'lock')
  const own = ownText()
  const holder = acquire(path, own)
  if (holder !== null) throw locked(dataDir, path, holder)
  const lock = releasing(path, own)
  const [sharer] = sharers(dataDir)
  if (sharer === undefined) return lock
  lock.release()
  throw locked(dataDir, join(dataDir, SHARED, `${sharer.pid}`), sharer)
}

function releasing(path: string, own: string): DataLock {
  let held = true
  return {
    path,
    release() {
      if (!held) return
      held = false
      if (readIfThere(path) === own) rmSync(path, { force: true })
    },
  }
}

/**
 * Notes this process beside others that use the directory with a database of their own. Throws SW_DATA_DIR_LOCKED while one
 * holds it for itself.
 */
export function shareDataFolder(dataDir: string): DataLock {
  const folder = join(dataDir, SHARED)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${process.pid}`)
  const own = ownText()
  const fresh = written(path, own)
  // The file of a process that had this pid before is stale.
  renameSync(fresh, path)
  // After the own note: whoever takes the directory for himself looks for notes after his lock, so one of the two sees the other.
  const holder = dataLockHolder(dataDir)
  if (holder !== null) {
    rmSync(path, { force: true })
    throw locked(dataDir, join(dataDir, 'lock'), holder)
  }
  return releasing(path, own)
}

/** Who holds a data directory for itself now; null when nobody does. */
export function dataLockHolder(dataDir: string): LockHolder | null {
  return heldBy(join(dataDir, 'lock'))
}

/** Who uses a data directory now: the one that holds it for itself, or those that share it. */
export function dataFolderUsers(dataDir: string): readonly LockHolder[] {
  const holder = dataLockHolder(dataDir)
  return holder === null ? sharers(dataDir) : [holder]
}

function sharers(dataDir: string): LockHolder[] {
  const folder = join(dataDir, SHARED)
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9]+$/.test(name)) : []
  return names.flatMap((name) => heldBy(join(folder, name)) ?? [])
}

function heldBy(path: string): LockHolder | null {
  const text = readIfThere(path)
  const holder = text === null ? null : parse(text)
  return holder === null || isStale(holder) ? null : holder
}

/** Takes the lock at `path`, or returns who holds it. */
function acquire(path: string, own: string): LockHolder | null {
  for (;;) {
    if (place(path, own)) return null
    const found = readIfThere(path)
    if (found === null) continue
    const holder = parse(found)
    if (holder !== null && !isStale(holder)) return holder
    // Stale. Only one at a time may replace it, else the second would replace the first one's fresh lock. The guard is a
    // lock like this one, since its holder may die as well.
    const guard = `${path}.takeover`
    const guardHolder = acquire(guard, own)
    if (guardHolder !== null) return guardHolder
    try {
      if (readIfThere(path) === found) {
        const fresh = written(path, own)
        renameSync(fresh, path)
        return null
      }
    } finally {
      rmSync(guard, { force: true })
    }
  }
}

/** Creates the lock with its whole content; false when there is one. */
function place(path: string, own: string): boolean {
  const fresh = written(path, own)
  try {
    linkSync(fresh, path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(fresh, { force: true })
  }
}

function written(path: string, text: string): string {
  const fresh = `${path}.${process.pid}.${randomUUID()}`
  writeFileSync(fresh, text, { mode: 0o644 })
  return fresh
}

function ownText(): string {
  const identity = identityOf(process.pid)
  if (identity === null) throw fail('SW_INTERNAL', `the start time of the own process ${process.pid} cannot be read`)
  const holder: LockHolder = { ...identity, host: hostname(), boot: bootId(), pidNamespace: pidNamespace() }
  // A nonce, so that two locks of one process are told apart.
  return `${JSON.stringify({ ...holder, nonce: randomUUID() })}\n`
}

/**
 * On another machine nobody can tell whether the holder runs, so there it counts as running. On this one: another boot or
 * another incarnation of this container (same host name, other pid namespace) ended with all its processes.
 */
function isStale(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return false
  if (holder.boot !== bootId() || holder.pidNamespace !== pidNamespace()) return true
  return !isAlive(holder)
}

/** null for a text that is no lock: left by something else, or by a machine that lost power while writing. */
function parse(text: string): LockHolder | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isObject(value)) return null
  const { pid, start, host, boot, pidNamespace: namespace } = value
  if (typeof pid !== 'number' || typeof start !== 'string') return null
  if (typeof host !== 'string' || typeof boot !== 'string' || typeof namespace !== 'string') return null
  return { pid, start, host, boot, pidNamespace: namespace }
}

function locked(dataDir: string, path: string, holder: LockHolder): Error {
  const here = holder.host === hostname()
  return fail(
    'SW_DATA_DIR_LOCKED',
    `${dataDir} is in use by process ${holder.pid}${here ? '' : ` on ${holder.host}`} (see ${path})`,
    {
      details: { pid: holder.pid, host: holder.host },
      ...(here ? {} : { remedy: `stop that process; if ${holder.host} is gone for good, remove ${path}` }),
    },
  )
}
