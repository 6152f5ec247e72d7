import type { StoredOAuthClientInformation, StoredOAuthTokens } from '@modelcontextprotocol/client'
import { type SecretName, secretName } from '../../kinds/secret-ref.ts'
import { isObject } from '../../lib/json.ts'
import type { DeclaredServer, OAuthDependencies } from '../ports.ts'
import { type OAuthSpec, useOf } from './identity.ts'

/** What a sign-in gave, as the text of one secret. */
export interface LoginRecord {
  readonly client: StoredOAuthClientInformation
  readonly tokens: StoredOAuthTokens
}

/** Where it is kept. */
export function loginSecret({ namespace, name }: DeclaredServer, { loginSecretRef }: OAuthSpec): SecretName {
  return loginSecretRef === undefined
    ? { name: `mcp.${namespace}.${name}`, key: 'login' }
    : secretName(loginSecretRef as Parameters<typeof secretName>[0])
}

export interface KeptLogin {
  /** Null: nobody signed in yet. */
  read(): Promise<LoginRecord | null>
  keep(record: LoginRecord): Promise<void>
}

/** What a sign-in to a server gave, where it is kept. */
export function keptLogin(
  server: DeclaredServer,
  spec: OAuthSpec,
  correlationId: string,
  { secrets, keep, learn }: Pick<OAuthDependencies, 'secrets' | 'keep' | 'learn'>,
): KeptLogin {
  const [secret, use] = [loginSecret(server, spec), useOf(server, correlationId)]
  const learnt = (record: LoginRecord): LoginRecord => {
    for (const part of secretsOf(record)) learn(part)
    return record
  }
  return {
    async read() {
      const text = await secrets.read(secret, use)
      const record = text === null ? null : readLogin(text)
      return record === null ? null : learnt(record)
    },
    keep: (record) => keep(secret, JSON.stringify(learnt(record)), use),
  }
}

/** Null for a text that is no such record. */
export function readLogin(text: string): LoginRecord | null {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    return null
  }
  if (!isObject(found)) return null
  const { client, tokens } = found
  if (!isObject(client) || typeof client['client_id'] !== 'string') return null
  if (!isObject(tokens) || typeof tokens['access_token'] !== 'string') return null
  return { client: client as never, tokens: tokens as never }
}

/** Every part of it that nobody may read. */
function secretsOf({ client, tokens }: LoginRecord): string[] {
  const parts = [tokens.access_token, tokens.refresh_token, tokens.id_token, client.client_secret]
  return parts.filter((part) => part !== undefined)
}
