import { spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { hasCode, readIfThere } from './error-code.ts'

/**
 * Which process a pid means. A pid alone is used again sooner or later; together with the time the process started it
 * names one process of this boot and pid namespace.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Linux: clock ticks since boot (`/proc/<pid>/stat` field 22). Elsewhere: what `ps -o lstart=` prints. */
  readonly start: string
}

const LINUX = process.platform === 'linux'

/** The identity of a running process; null when there is none, or only its zombie. */
export function identityOf(pid: number): ProcessIdentity | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null
  return LINUX ? fromProc(pid) : fromPs(pid)
}

/** True while exactly that process runs: same pid, same start, not a zombie. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.start === identity.start
}

function fromProc(pid: number): ProcessIdentity | null {
  const stat = readIfThere(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The second field is the program's name in parentheses and may hold anything, parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const start = fields[19]
  if (start === undefined || state === 'Z' || state === 'X') return null
  return { pid, start }
}

function fromPs(pid: number): ProcessIdentity | null {
  const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  })
  if (ps.error !== undefined) throw ps.error
  const match = /^\s*(\S+)\s+(.+?)\s*$/.exec(ps.stdout)
  if (ps.status !== 0 || match === null || match[1]!.startsWith('Z')) return null
  return { pid, start: match[2]! }
}

let boot: string | undefined

/** Names this boot of this machine: start times of processes mean something only within it. */
export function bootId(): string {
  boot ??= readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? bootIdFromSysctl()
  return boot
}

function bootIdFromSysctl(): string {
  const sysctl = spawnSync('sysctl', ['-n', 'kern.bootsessionuuid'], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' },
  })
  const id = sysctl.error === undefined && sysctl.status === 0 ? sysctl.stdout.trim() : ''
  // Without a boot id, `lstart` is a date and stays meaningful across boots of the same machine.
  return id === '' ? `host-${hostname()}` : id
}

/** Names the pid namespace (a container has its own): pids of another one cannot be looked up from here. */
export function pidNamespace(): string {
  if (!LINUX) return 'none'
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM')) return 'unknown'
    throw error
  }
}
