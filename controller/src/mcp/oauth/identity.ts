import {
  type AddClientAuthentication,
  createPrivateKeyJwtAuth,
  type OAuthClientMetadata,
  type StoredOAuthClientInformation,
} from '@modelcontextprotocol/client'
import type { McpServerSpec } from '../../kinds/mcp-server/mcp-server.schema.ts'
import { type SecretName, type SecretRef, type SecretUse, secretName, secretText } from '../../kinds/secret-ref.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { DeclaredServer, OAuthDependencies } from '../ports.ts'

export type OAuthSpec = NonNullable<NonNullable<McpServerSpec['http']>['oauth']>

/** As whom a server is asked, with the secrets that are needed for it. */
export interface Identity {
  readonly spec: OAuthSpec
  /** As declared; null: none is, or none yet. */
  readonly client: StoredOAuthClientInformation | null
  /** Signs in with a key in the place of a secret. */
  readonly sign: AddClientAuthentication | null
}

export function useOf({ namespace, name }: DeclaredServer, correlationId: string): SecretUse {
  return { consumer: `mcpserver:${namespace}/${name}`, namespace, correlationId }
}

/** SW_SECRET_MISSING. */
export async function identityOf(
  server: DeclaredServer,
  spec: OAuthSpec,
  correlationId: string,
  { secrets }: Pick<OAuthDependencies, 'secrets'>,
): Promise<Identity> {
  const read = async (ref: SecretRef | undefined, what: string): Promise<string | null> => {
    if (ref === undefined) return null
    const secret: SecretName = secretName(ref)
    const value = await secrets.read(secret, useOf(server, correlationId))
    if (value === null) throw fail('SW_SECRET_MISSING', `not there: secret ${secretText(secret)} (${what})`)
    return value
  }
  const { clientId, issuer, algorithm = 'ES256' } = spec
  const clientSecret = await read(spec.clientSecretRef as SecretRef | undefined, 'for clientSecretRef')
  const privateKey = await read(spec.privateKeySecretRef as SecretRef | undefined, 'for privateKeySecretRef')
  const client =
    clientId === undefined
      ? null
      : {
          client_id: clientId,
          ...(clientSecret === null ? {} : { client_secret: clientSecret }),
          ...(issuer === undefined ? {} : { issuer }),
        }
  const sign =
    privateKey === null
      ? null
      : createPrivateKeyJwtAuth({ issuer: clientId!, subject: clientId!, privateKey, alg: algorithm })
  return { spec, client, sign }
}

/** What an authorization server is told of us when it registers us, and what decides which scopes are asked for. */
export function metadataOf({ spec }: Identity, redirectUrl: string | null): OAuthClientMetadata {
  const scope = spec.scopes?.join(' ')
  return {
    client_name: 'Stateward',
    redirect_uris: redirectUrl === null ? [] : [redirectUrl],
    grant_types: redirectUrl === null ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    ...(redirectUrl === null ? {} : { response_types: ['code'] }),
    ...(scope === undefined ? {} : { scope }),
  }
}
