import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from '../../lib/error-code.ts'
import { hostFolder } from './lease-file.ts'

/** Who a joined host is: kept in `<data>/host/identity` (0600), so that it joins once. */
export interface HostIdentity {
  readonly server: string
  readonly host: string
  readonly credential: string
  /** Of the join token: the same one again means the same host. */
  readonly token_sha256: string
  /** Names this data folder. */
  readonly machine: string
}

export function readIdentity(dataDir: string): HostIdentity | null {
  const text = readIfThere(join(hostFolder(dataDir), 'identity'))
  return text === null ? null : (JSON.parse(text) as HostIdentity)
}

export function writeIdentity(dataDir: string, identity: Omit<HostIdentity, 'machine'>): HostIdentity {
  const folder = hostFolder(dataDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const whole = { ...identity, machine: readIdentity(dataDir)?.machine ?? randomUUID() }
  const draft = join(folder, '.identity')
  writeFileSync(draft, `${JSON.stringify(whole)}\n`, { mode: 0o600 })
  renameSync(draft, join(folder, 'identity'))
  return whole
}
