import { spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode, readIfThere } from '../error-code.ts'
import { identityOf, type ProcessIdentity } from '../process-identity.ts'

/** How a program ended, as its shim wrote it down. */
export interface ExitRecord {
  /** 128 + n when signal n ended it. */
  readonly code: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** null while the program runs, or when nobody was left to write it (the group was killed, the machine went down). */
export function readExit(folder: string): ExitRecord | null {
  const file = join(folder, 'exit')
  const text = readIfThere(file)
  const line = text === null ? null : /^([0-9]{1,3})\n$/.exec(text)
  return line === null ? null : { code: Number(line[1]), at: statSync(file).mtimeMs }
}

/**
 * Who the shim of a folder is, from its `pid` file; null when it does not run any more. A pid that belongs to somebody
 * else by now is told apart by the shim's command line, which names the folder.
 */
export function findShim(folder: string): ProcessIdentity | null {
  const text = readIfThere(join(folder, 'pid'))
  const pid = text === null ? Number.NaN : Number(text.trim())
  if (!Number.isSafeInteger(pid) || pid <= 0) return null
  const identity = identityOf(pid)
  return identity !== null && commandLine(pid).includes(folder) ? identity : null
}

/**
 * Makes sure that a shim which has not written its `pid` yet never will: true when it had not, and from now on it ends
 * without starting its program. False when it was there first.
 */
export function preventStart(folder: string): boolean {
  try {
    writeFileSync(join(folder, 'pid'), 'prevented\n', { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    // Without its folder a shim ends at its first line.
    if (hasCode(error, 'ENOENT')) return true
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

function commandLine(pid: number): string {
  if (process.platform === 'linux') return readIfThere(`/proc/${pid}/cmdline`) ?? ''
  const ps = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  })
  if (ps.error !== undefined) throw ps.error
  return ps.stdout
}
