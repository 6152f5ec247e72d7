import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SecretName, SecretReader } from '../kinds/secret-ref.ts'
import type { ErrorRef } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import { StatewardError } from '../lib/errors.ts'
import { type AgentTarget, secretRefsOf } from './agent-target.ts'
import { REDACTED, type Redact, redactor } from './redaction.ts'

/** What has to be known about an instance also when its agent is gone: kept in its folder. Names of secrets, never values. */
export interface InstanceRecord {
  readonly secretRefs: readonly SecretName[]
  readonly keepWorkspace: boolean
}

const FILE = 'instance.json'

export function writeRecord(folder: string, target: AgentTarget): void {
  const record: InstanceRecord = { secretRefs: secretRefsOf(target.spec), keepWorkspace: target.spec.keepWorkspace }
  writeFileSync(join(folder, FILE), `${JSON.stringify(record)}\n`, { mode: 0o600 })
}

/** null when there is none: the instance never got as far, or its folder was removed. */
export function readRecord(folder: string): InstanceRecord | null {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as InstanceRecord
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/**
 * Takes the secrets an instance was given out of its texts, as far as they still are what they were. When one cannot be
 * looked up any more, nothing of a text is shown.
 */
export async function redactorFor(folder: string, read: SecretReader): Promise<Redact> {
  return redactorOfRefs(readRecord(folder)?.secretRefs ?? [], read)
}

/** Nobody here can say any more what the secret is. */
const UNKNOWN: ReadonlySet<string> = new Set<ErrorRef>([
  'SW_SECRET_MISSING',
  'SW_DENIED_BY_POLICY',
  'SW_NEEDS_APPROVAL',
  'SW_FORBIDDEN',
])

export async function redactorOfRefs(refs: InstanceRecord['secretRefs'], read: SecretReader): Promise<Redact> {
  try {
    const values = await Promise.all(refs.map((secret) => read.peek(secret)))
    return redactor(values.filter((value) => value !== null))
  } catch (error) {
    if (error instanceof StatewardError && UNKNOWN.has(error.ref)) return () => REDACTED
    throw error
  }
}
