import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { readIfThere } from '../../lib/error-code.ts'
import { bootId } from '../../lib/process-identity.ts'

/**
 * Until when the agents of this data folder may run, for the guard to read: `<data>/host/lease`. Times are those of the
 * machine since it was started, which go on while it sleeps and never back.
 */
export interface WrittenLease {
  readonly boot_id: string
  /** Milliseconds of {@link machineMs}. */
  readonly kill_at: number
}

/** Milliseconds since the machine was started, its sleep included. */
export function machineMs(): number {
  return uptime() * 1000
}

export function hostFolder(dataDir: string): string {
  return join(dataDir, 'host')
}

/** Whole or not at all: a reader never sees half of it. */
export function writeLease(dataDir: string, killAt: number): void {
  const folder = hostFolder(dataDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = join(folder, '.lease')
  writeFileSync(draft, `${JSON.stringify({ boot_id: bootId(), kill_at: killAt } satisfies WrittenLease)}\n`, {
    mode: 0o600,
  })
  renameSync(draft, join(folder, 'lease'))
}

/** null when there is none of this boot: then nothing of it runs. */
export function readLease(dataDir: string): WrittenLease | null {
  const text = readIfThere(join(hostFolder(dataDir), 'lease'))
  if (text === null) return null
  const lease = JSON.parse(text) as WrittenLease
  return lease.boot_id === bootId() ? lease : null
}
