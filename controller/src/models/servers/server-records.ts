import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode, readIfThere } from '../../lib/error-code.ts'
import { isObject } from '../../lib/json.ts'
import { bootId, identityOf, isAlive, type ProcessIdentity, pidNamespace } from '../../lib/process-identity.ts'

/**
 * Which programs were started to serve models, in `<folder>/<provider>.json`: a process that was killed leaves them running, and
 * the next one finds them here. A pid means somebody only together with the time it started, within one boot and pid namespace.
 */
export interface ServerRecord {
  readonly provider: string
  readonly model: string
  /** What it was started with. */
  readonly words: readonly string[]
  readonly server: ProcessIdentity
  /** Who started it. */
  readonly owner: ProcessIdentity
  readonly boot: string
  readonly namespace: string
}

export type NewRecord = Pick<ServerRecord, 'provider' | 'model' | 'words' | 'server'>

/** Written whole or not at all, before anything else happens in this process. */
export function keepRecord(folder: string, { provider, model, words, server }: NewRecord): void {
  const owner = identityOf(process.pid)
  if (owner === null) return
  mkdirSync(folder, { recursive: true })
  const file = fileOf(folder, provider)
  const full: ServerRecord = { provider, model, words, server, owner, boot: bootId(), namespace: pidNamespace() }
  writeFileSync(`${file}.draft`, JSON.stringify(full), { mode: 0o600 })
  renameSync(`${file}.draft`, file)
}

/** It has ended. A record of another program stays. */
export function dropRecord(folder: string, { provider, server }: Pick<ServerRecord, 'provider' | 'server'>): void {
  const record = readRecord(folder, provider)
  if (record?.server.pid === server.pid && record.server.start === server.start)
    rmSync(fileOf(folder, provider), { force: true })
}

/** Programs that run, and whose owner does not any more: from now on they are ours. Records of what is over are removed. */
export function takeLeft(folder: string): readonly ServerRecord[] {
  const left: ServerRecord[] = []
  for (const provider of recorded(folder)) {
    const record = readRecord(folder, provider)
    const isHere = record?.boot === bootId() && record.namespace === pidNamespace()
    if (record === null || !isHere || !isAlive(record.server)) rmSync(fileOf(folder, provider), { force: true })
    else if (!isAlive(record.owner) && claim(folder, record)) left.push(record)
  }
  return left
}

/** Of several processes that start at once, one gets it. */
function claim(folder: string, record: ServerRecord): boolean {
  const file = fileOf(folder, record.provider)
  const mine = `${file}.${process.pid}`
  try {
    renameSync(file, mine)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
  keepRecord(folder, record)
  rmSync(mine, { force: true })
  return true
}

const fileOf = (folder: string, provider: string): string => join(folder, `${provider}.json`)

function recorded(folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []))
}

/** Null for what is not there, or is none of ours. */
function readRecord(folder: string, provider: string): ServerRecord | null {
  const text = readIfThere(fileOf(folder, provider))
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && isIdentity(value['server']) && isIdentity(value['owner']) && Array.isArray(value['words'])
      ? ({ ...value, provider } as unknown as ServerRecord)
      : null
  } catch {
    return null
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return isObject(value) && typeof value['pid'] === 'number' && typeof value['start'] === 'string'
}
