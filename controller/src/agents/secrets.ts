import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentSpec } from '../kinds/agent/agent.schema.ts'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import type { SecretReader } from './ports.ts'

/**
 * Looks a secret up where it can be until there is a SecretStore: what the environment gave (`STATEWARD_SECRET_<NAME>_<KEY>`),
 * else the file `<directory>/<name>/<key>`, which nobody else may be able to read. One line feed at its end is not part of it.
 */
export function secretReader(options: {
  readonly fromEnvironment: (name: string, key: string) => string | undefined
  readonly directory: string
}): SecretReader {
  return async (name, key) => {
    const given = options.fromEnvironment(name, key)
    if (given !== undefined) return given
    const file = join(options.directory, name, key)
    try {
      if (((await stat(file)).mode & 0o077) !== 0) {
        throw fail('SW_SECRET_MISSING', `secret ${name}/${key} is not used: others may read ${file}`, {
          remedy: `chmod 600 ${file}`,
        })
      }
      return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
      throw error
    }
  }
}

/** `env` of an agent as it reaches the program. Throws SW_SECRET_MISSING, naming every secret that is not there. */
export async function declaredEnvironment(
  spec: AgentSpec,
  read: SecretReader,
): Promise<{ readonly values: Record<string, string>; readonly secrets: readonly string[] }> {
  const values: Record<string, string> = {}
  const secrets: string[] = []
  const missing: string[] = []
  for (const { name, value, secretRef } of spec.runtime.process.env ?? []) {
    if (secretRef === undefined) {
      values[name] = value ?? ''
      continue
    }
    const secret = await read(secretRef.name, secretRef.key)
    if (secret === null) missing.push(`${secretRef.name}/${secretRef.key} (for ${name})`)
    else {
      values[name] = secret
      secrets.push(secret)
    }
  }
  if (missing.length > 0) {
    throw fail('SW_SECRET_MISSING', `not there: secret ${missing.join(', ')}`, {
      remedy: 'set STATEWARD_SECRET_<NAME>_<KEY>, or write <data>/secrets/<name>/<key> with mode 0600',
    })
  }
  return { values, secrets }
}
