import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasCode, readIfThere } from '../../lib/error-code.ts'
import { identityOf, isAlive, type ProcessIdentity } from '../../lib/process-identity.ts'
import { findShim } from '../../lib/programs/record.ts'
import { signalInstance } from '../runtimes/process/signal-instance.ts'
import { hostFolder, machineMs, readLease } from './lease-file.ts'

const LOOK_MS = 200

/**
 * The guard of a joined host: a process of its own that ends every agent of the data folder when the lease that is written
 * there ends. So a host fails closed also when the process that supervises there was killed, hangs, or is stopped.
 * Ends itself when nothing is left to guard.
 */
export async function guardAgents(dataDir: string, supervisor: ProcessIdentity): Promise<void> {
  for (;;) {
    // Another one took its place.
    if (guardOf(dataDir)?.pid !== process.pid) return
    const lease = readLease(dataDir)
    if (lease === null || machineMs() >= lease.kill_at) killAgents(dataDir)
    if (!isAlive(supervisor) && livingAgents(dataDir).length === 0) return
    await delay(LOOK_MS)
  }
}

/** Every agent process of the data folder, with what it started. */
export function killAgents(dataDir: string): void {
  for (const { id, identity } of livingAgents(dataDir)) signalInstance(identity, 'SIGKILL', id)
}

/** TERM to all, and time until `until` (of the machine) to end. */
export async function endAgents(dataDir: string, until: number): Promise<void> {
  for (const { id, identity } of livingAgents(dataDir)) signalInstance(identity, 'SIGTERM', id)
  while (machineMs() < until && livingAgents(dataDir).length > 0) await delay(100)
}

function livingAgents(dataDir: string): { readonly id: string; readonly identity: ProcessIdentity }[] {
  const instances = join(dataDir, 'instances')
  return namesIn(instances).flatMap((id) => {
    const identity = findShim(join(instances, id))
    return identity === null ? [] : [{ id, identity }]
  })
}

/** Starts the guard of a data folder unless one is there that watches for this process. `command` runs {@link guardAgents}. */
export function ensureGuard(dataDir: string, command: readonly string[]): void {
  const file = join(hostFolder(dataDir), 'guard')
  const known = guardOf(dataDir)
  if (known !== null && known.supervisor === process.pid && isAlive(known)) return
  const child = spawn(command[0]!, command.slice(1), { detached: true, stdio: 'ignore' })
  child.unref()
  const identity = child.pid === undefined ? null : identityOf(child.pid)
  if (identity === null) throw new Error('the guard of the agents could not be started')
  mkdirSync(hostFolder(dataDir), { recursive: true, mode: 0o700 })
  writeFileSync(file, `${JSON.stringify({ ...identity, supervisor: process.pid })}\n`, { mode: 0o600 })
}

function guardOf(dataDir: string): (ProcessIdentity & { readonly supervisor: number }) | null {
  const text = readIfThere(join(hostFolder(dataDir), 'guard'))
  return text === null ? null : (JSON.parse(text) as ProcessIdentity & { readonly supervisor: number })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
