import type { Config } from '../config/schema.ts'
import type { SecretReader } from '../kinds/secret-ref.ts'
import { fail } from '../lib/error-catalogue.ts'
import { packageVersion } from '../lib/package-root.ts'
import { githubForge } from '../proposals/forges/github.ts'
import type { Forge } from '../proposals/forges/ports.ts'

/** How long a limit of the forge is waited for before it is tried again later. */
const PATIENCE_SECONDS = 60
/** The secret that holds its token (`token`) and what signs its webhooks (`webhook`). */
const SECRET = 'forge'

/** The forge of the configuration; null = none. SW_CONFIG_INVALID when nothing says which repository it is. */
export function openForge({ forge, repo }: Config, secrets: SecretReader): Forge | null {
  if (forge.type === 'none') return null
  const repository = forge.repository ?? /[:/]([^/:]+\/[^/]+?)(?:\.git)?\/?$/.exec(repo ?? '')?.[1]
  if (repository === undefined || !/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw fail('SW_CONFIG_INVALID', 'forge.repository is not set, and repo does not say owner/name')
  const secret = async (key: string) => {
    const value = await secrets.read({ name: SECRET, key }, { consumer: 'system:forge', namespace: 'default' })
    if (value !== null && value !== undefined) return value.trim()
    throw fail('SW_NOT_READY', `the secret ${SECRET}/${key} is not there`, {
      remedy: `set STATEWARD_SECRET_FORGE_${key.toUpperCase()}, or write it into secrets/${SECRET}/${key} of the data folder`,
    })
  }
  return githubForge({
    repository,
    apiUrl: forge.apiUrl,
    token: () => secret('token'),
    webhookSecret: () => secret('webhook'),
    version: packageVersion(),
    patienceSeconds: PATIENCE_SECONDS,
  })
}
