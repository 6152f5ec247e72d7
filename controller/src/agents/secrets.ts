import type { AgentSpec } from '../kinds/agent/agent.schema.ts'
import { type SecretReader, type SecretUse, secretName, secretText } from '../kinds/secret-ref.ts'
import { fail } from '../lib/error-catalogue.ts'

/**
 * `env` of an agent as it reaches the program. Throws SW_SECRET_MISSING, naming every secret that is not there.
 */
export async function declaredEnvironment(
  spec: AgentSpec,
  secrets: SecretReader,
  use: SecretUse,
): Promise<{ readonly values: Record<string, string>; readonly secrets: readonly string[] }> {
  const values: Record<string, string> = {}
  const used: string[] = []
  const missing: string[] = []
  for (const { name, value, secretRef } of spec.runtime.process.env ?? []) {
    if (secretRef === undefined) {
      values[name] = value ?? ''
      continue
    }
    const wanted = secretName(secretRef)
    const secret = await secrets.read(wanted, use)
    if (secret === null) missing.push(`${secretText(wanted)} (for ${name})`)
    else {
      values[name] = secret
      used.push(secret)
    }
  }
  if (missing.length > 0) throw fail('SW_SECRET_MISSING', `not there: secret ${missing.join(', ')}`)
  return { values, secrets: used }
}
