import { randomBytes } from 'node:crypto'
import { auth, OAuthError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { SecretName } from '../../kinds/secret-ref.ts'
import type { Clock } from '../../lib/clock.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { DeclaredServer, OAuthDependencies } from '../ports.ts'
import { type Challenge, scopesFor } from './challenge.ts'
import { guardedFetch } from './guarded-fetch.ts'
import { identityOf, type OAuthSpec } from './identity.ts'
import { keptLogin, loginSecret } from './login-record.ts'
import { LoginProvider } from './providers.ts'
import { keyOfServer } from './session.ts'

const OPEN_MS = 10 * 60_000
const MOST_OPEN = 100

interface Begun {
  readonly server: string
  readonly provider: LoginProvider
  readonly scope: string | undefined
  readonly until: number
}

export interface LoginDependencies extends OAuthDependencies {
  readonly clock: Clock
  /** What the server asks for now: null where it lets everybody in, or does not say. */
  readonly challenge: (server: DeclaredServer, correlationId: string) => Promise<Challenge | null>
}

/** Sign-ins by people: authorization code with PKCE. What belongs to one stays in this process until it ends. */
export class McpLogins {
  readonly #deps: LoginDependencies
  readonly #begun = new Map<string, Begun>()

  constructor(deps: LoginDependencies) {
    this.#deps = deps
  }

  /** Where a person goes to. SW_CONFLICT, SW_BAD_REQUEST, SW_SECRET_MISSING, SW_MCP_LOGIN_FAILED, SW_OUTBOUND_DENIED. */
  async begin(
    server: DeclaredServer,
    asked: { readonly redirectUri: string; readonly scopes: readonly string[]; readonly correlationId: string },
  ): Promise<{ readonly url: string; readonly expiresAt: Date }> {
    const spec = personal(server)
    checkRedirect(asked.redirectUri)
    const challenge = await this.#deps.challenge(server, asked.correlationId)
    const state = randomBytes(32).toString('base64url')
    const provider = new LoginProvider(
      await identityOf(server, spec, asked.correlationId, this.#deps),
      asked.redirectUri,
      state,
    )
    // What was granted before is asked for again: whoever gives one more does not take the others away.
    const granted = (await keptLogin(server, spec, asked.correlationId, this.#deps).read())?.tokens.scope
    const scope = scopesFor([...(spec.scopes ?? []), ...asked.scopes], granted, challenge?.scope)
    const resourceMetadataUrl = challenge?.resourceMetadataUrl
    await answered(server, () =>
      auth(provider, {
        serverUrl: server.spec.http!.url,
        fetchFn: guardedFetch(server, this.#deps),
        ...(scope === undefined ? {} : { scope }),
        ...(resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }),
      }),
    )
    const url = provider.url!
    const until = this.#deps.clock.now().getTime() + OPEN_MS
    this.#forgetOld()
    const wanted = url.searchParams.get('scope') ?? undefined
    this.#begun.set(state, { server: keyOfServer(server), provider, scope: wanted, until })
    return { url: url.href, expiresAt: new Date(until) }
  }

  /** Ends one with what the authorization server sent back. SW_MCP_LOGIN_FAILED, SW_NOT_FOUND. */
  async finish(
    server: DeclaredServer,
    { callback, correlationId }: { readonly callback: URLSearchParams; readonly correlationId: string },
  ): Promise<{ readonly issuer: string; readonly scopes: readonly string[]; readonly secret: SecretName }> {
    const spec = personal(server)
    this.#forgetOld()
    const state = callback.get('state') ?? ''
    const begun = this.#begun.get(state)
    if (begun === undefined || begun.server !== keyOfServer(server))
      throw fail('SW_NOT_FOUND', 'no sign-in of this state was begun, or it took too long', {
        remedy: `begin again: stateward mcp login ${server.name}`,
      })
    this.#begun.delete(state)
    this.#deps.learn(callback.get('code') ?? '')
    const { provider } = begun
    const transport = new StreamableHTTPClientTransport(new URL(server.spec.http!.url), {
      authProvider: provider,
      fetch: guardedFetch(server, this.#deps),
    })
    await answered(server, () => transport.finishAuth(callback))
    const [client, given] = [provider.clientInformation(), provider.given]
    if (client === undefined || given === null)
      throw fail('SW_MCP_LOGIN_FAILED', `the authorization server of ${server.name} gave no token`)
    // Where it says nothing of them, it gave what it was asked for.
    const scope = given.scope ?? begun.scope
    await keptLogin(server, spec, correlationId, this.#deps).keep({ client, tokens: { ...given, scope } })
    return { issuer: given.issuer ?? '', scopes: scope?.split(' ') ?? [], secret: loginSecret(server, spec) }
  }

  #forgetOld(): void {
    const now = this.#deps.clock.now().getTime()
    for (const [state, { until }] of this.#begun) {
      if (until > now && this.#begun.size < MOST_OPEN) break
      this.#begun.delete(state)
    }
  }
}

function personal({ name, spec: { http } }: DeclaredServer): OAuthSpec {
  const spec = http?.oauth
  if (spec === undefined)
    throw fail('SW_CONFLICT', `McpServer ${name} is not behind OAuth`, { remedy: 'give http.oauth by a commit' })
  if (spec.grant === 'clientCredentials')
    throw fail('SW_CONFLICT', `nobody signs in to McpServer ${name}: this installation does, as itself`, {
      remedy: 'look at its conditions: stateward describe mcpserver <name>',
    })
  return spec
}

/** A code goes to whoever began it, on his own machine, and nowhere else. */
function checkRedirect(text: string): void {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) return
  throw fail('SW_BAD_REQUEST', 'redirect_uri is no http address of this machine itself')
}

async function answered<T>({ name }: DeclaredServer, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StatewardError) throw error
    const words = error instanceof OAuthError ? `${error.code}: ${error.message}` : errorMessage(error)
    throw fail('SW_MCP_LOGIN_FAILED', `MCP server ${name}: ${words}`, { cause: error })
  }
}
