import {
  AuthorizationServerMismatchError,
  auth,
  type FetchLike,
  isStrictScopeSuperset,
  OAuthError,
} from '@modelcontextprotocol/client'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { DeclaredServer, OAuthDependencies } from '../ports.ts'
import { type Challenge, challengeOf, scopesFor } from './challenge.ts'
import { guardedFetch } from './guarded-fetch.ts'
import { identityOf, type OAuthSpec } from './identity.ts'
import { type KeptLogin, keptLogin } from './login-record.ts'
import { KeptProvider, MachineProvider } from './providers.ts'

/** Of one message, for scopes: whoever asks for more each time is not asked for ever. */
const STEP_UPS = 2

/** What servers asked for last, by server: for the sign-in that it takes. Of this process. */
export type Challenges = Map<string, Challenge>

export const keyOfServer = ({ namespace, name }: Pick<DeclaredServer, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`

/**
 * The tokens a connection goes with. Asked for when the server wants one, and renewed when it refuses the one it got; however
 * many messages find that out at once, it is done once.
 */
export class OAuthSession {
  readonly #server: DeclaredServer
  readonly #spec: OAuthSpec
  readonly #deps: OAuthDependencies
  readonly #login: KeptLogin
  readonly #challenges: Challenges
  #provider: MachineProvider | KeptProvider | null = null
  #renewing: Promise<void> | null = null

  private constructor(
    server: DeclaredServer,
    spec: OAuthSpec,
    correlationId: string,
    deps: OAuthDependencies,
    challenges: Challenges,
  ) {
    this.#server = server
    this.#spec = spec
    this.#login = keptLogin(server, spec, correlationId, deps)
    this.#deps = deps
    this.#challenges = challenges
  }

  /** SW_SECRET_MISSING. */
  static async open(
    ...[server, spec, correlationId, deps, challenges]: [
      DeclaredServer,
      OAuthSpec,
      string,
      OAuthDependencies,
      Challenges,
    ]
  ): Promise<OAuthSession> {
    const session = new OAuthSession(server, spec, correlationId, deps, challenges)
    const identity = await identityOf(server, spec, correlationId, deps)
    if (spec.grant === 'clientCredentials') session.#provider = new MachineProvider(identity, deps.learn)
    else {
      const record = await session.#login.read()
      const loginRequired = (scope: string | null) => session.#loginRequired(scope)
      if (record !== null) session.#provider = new KeptProvider(identity, record, session.#login, loginRequired)
    }
    return session
  }

  /** Sends messages with the token, and renews it where that helps. SW_MCP_LOGIN_REQUIRED. */
  readonly fetch: FetchLike = async (input, init) => {
    let [wasRefused, stepUps] = [false, 0]
    for (;;) {
      const token = await this.#token()
      const headers = new Headers(init?.headers)
      if (token !== null) headers.set('authorization', `Bearer ${token}`)
      const response = await fetch(input, { ...init, headers })
      const challenge = challengeOf(response)
      if (challenge === null) return response
      if (challenge.kind === 'unauthorized' ? wasRefused : stepUps === STEP_UPS) return response
      if (challenge.kind === 'unauthorized') wasRefused = true
      else stepUps += 1
      await response.body?.cancel()
      await this.#renew(token, challenge)
    }
  }

  async #token(): Promise<string | null> {
    return (await this.#provider?.tokens())?.access_token ?? null
  }

  async #renew(refused: string | null, challenge: Challenge): Promise<void> {
    await this.#renewing
    // Somebody else found it out first.
    if ((await this.#token()) !== refused) return
    this.#renewing ??= this.#authorize(refused, challenge).finally(() => {
      this.#renewing = null
    })
    await this.#renewing
  }

  async #authorize(refused: string | null, challenge: Challenge): Promise<void> {
    this.#challenges.set(keyOfServer(this.#server), challenge)
    const provider = this.#provider
    if (provider === null) throw this.#loginRequired(challenge.scope ?? null)
    if (provider instanceof KeptProvider) {
      const record = await this.#login.read()
      if (record !== null) provider.record = record
      if ((await this.#token()) !== refused) return
    }
    const granted = (await provider.tokens())?.scope
    const scope = scopesFor(this.#spec.scopes, granted, challenge.scope)
    try {
      await auth(provider, {
        serverUrl: this.#server.spec.http!.url,
        fetchFn: guardedFetch(this.#server, this.#deps),
        forceReauthorization: challenge.kind === 'scope' && isStrictScopeSuperset(scope, granted),
        ...(challenge.resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl: challenge.resourceMetadataUrl }),
        ...(scope === undefined ? {} : { scope }),
      })
    } catch (error) {
      if (error instanceof StatewardError) throw error
      if (error instanceof AuthorizationServerMismatchError && provider instanceof KeptProvider)
        throw this.#loginRequired(scope ?? null)
      const words = error instanceof OAuthError ? `${error.code}: ${error.message}` : errorMessage(error)
      throw fail('SW_MCP_UNREACHABLE', `MCP server ${this.#server.name} gave no access: ${words}`, { cause: error })
    }
  }

  #loginRequired(scope: string | null): Error {
    const { name } = this.#server
    const wanted = scope === null || scope === '' ? '' : ` for ${scope}`
    const flags = scope === null || scope === '' ? '' : ` --scope ${JSON.stringify(scope)}`
    return fail('SW_MCP_LOGIN_REQUIRED', `somebody has to sign in to MCP server ${name}${wanted}`, {
      remedy: `let an administrator sign in for the fleet: stateward mcp login ${name}${flags}`,
    })
  }
}
