import { readdirSync, readlinkSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../../lib/error-catalogue.ts'
import { hasCode } from '../../lib/error-code.ts'
import { identityOf, isAlive, type ProcessIdentity } from '../../lib/process-identity.ts'

/** A running server of a cluster, as its postmaster.pid says. */
export interface Postmaster {
  readonly identity: ProcessIdentity
  readonly port: number | null
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | null
}

const STATUS = ['starting', 'stopping', 'ready', 'standby'] as const

/** The server that runs on this cluster; null when none does, whatever a left-over postmaster.pid says. */
export async function livePostmaster(cluster: string): Promise<Postmaster | null> {
  const lines = await pidFileLines(cluster)
  if (lines === null) return null
  const identity = identityOf(Number(lines[0]))
  if (identity === null || !worksIn(identity.pid, cluster)) return null
  return {
    identity,
    port: lines[3] === undefined ? null : Number(lines[3]),
    status: STATUS.find((status) => status === lines[7]?.trim()) ?? null,
  }
}

/**
 * Makes way for a start after a crash. A stale postmaster.pid is Postgres' own to judge, except where it must misjudge:
 * its pid is a zombie that nobody reaps, or belongs to another program by now; then the file is removed. Backends of a
 * killed server end by themselves; they are waited for, since a new server refuses to start beside them.
 */
export async function clearCrash(cluster: string): Promise<void> {
  const lines = await pidFileLines(cluster)
  if (lines === null || (await livePostmaster(cluster)) !== null) return
  for (let waited = 0; processesIn(cluster).length > 0; waited += 20) {
    if (waited > 10_000) {
      throw fail(
        'SW_PG_START',
        `processes of a killed server still work in ${cluster}: ${processesIn(cluster).join(', ')}`,
      )
    }
    await delay(20)
  }
  if (answersSignals(Number(lines[0]))) await rm(join(cluster, 'postmaster.pid'), { force: true })
}

/**
 * Stops a server: fast (sessions are cut off, what was committed is on disk), after `fastMs` immediate, then KILL; the
 * next start recovers from the last two. Returns when the process is gone.
 */
export async function stopPostmaster(
  identity: ProcessIdentity,
  fastMs = 5000,
): Promise<'fast' | 'immediate' | 'killed'> {
  for (const [signal, how, ms] of [
    ['SIGINT', 'fast', fastMs],
    ['SIGQUIT', 'immediate', 2000],
    ['SIGKILL', 'killed', 2000],
  ] as const) {
    if (isAlive(identity)) sendSignal(identity.pid, signal)
    if (await ended(identity, ms)) return how
  }
  throw fail('SW_PG_START', `the database server ${identity.pid} does not end`)
}

async function ended(identity: ProcessIdentity, ms: number): Promise<boolean> {
  for (let waited = 0; waited <= ms; waited += 10) {
    if (!isAlive(identity)) return true
    await delay(10)
  }
  return false
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended by itself in this moment.
    if (!hasCode(error, 'ESRCH')) throw error
  }
}

/** Line 1 pid, 4 port, 8 status; null when there is no file. */
async function pidFileLines(cluster: string): Promise<string[] | null> {
  try {
    return (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Every process of a server has the cluster as its working directory. Only Linux tells; elsewhere the pid file is believed. */
function worksIn(pid: number, cluster: string): boolean {
  return process.platform !== 'linux' || workingDirectory(pid) === cluster
}

function processesIn(cluster: string): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => workingDirectory(pid) === cluster)
}

/** null for a process that ended, is a zombie, or is not ours to look into. */
function workingDirectory(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return null
  }
}

function answersSignals(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return true
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
