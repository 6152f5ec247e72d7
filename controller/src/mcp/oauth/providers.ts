import type {
  AddClientAuthentication,
  OAuthClientInformationContext,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { fail } from '../../lib/error-catalogue.ts'
import { type Identity, metadataOf } from './identity.ts'
import type { KeptLogin, LoginRecord } from './login-record.ts'

/** What the flow of the SDK asks of the three who go through it. Each lives as long as one connection, or one sign-in. */
abstract class Provider implements OAuthClientProvider {
  readonly identity: Identity
  readonly addClientAuthentication?: AddClientAuthentication
  abstract readonly redirectUrl: string | undefined

  constructor(identity: Identity) {
    this.identity = identity
    if (identity.sign !== null) this.addClientAuthentication = identity.sign
  }

  get clientMetadata() {
    return metadataOf(this.identity, this.redirectUrl ?? null)
  }

  abstract clientInformation(): StoredOAuthClientInformation | undefined
  abstract tokens(
    context?: OAuthClientInformationContext,
  ): StoredOAuthTokens | undefined | Promise<StoredOAuthTokens | undefined>
  abstract saveTokens(tokens: StoredOAuthTokens): void | Promise<void>
  abstract redirectToAuthorization(url: URL): void
  abstract saveCodeVerifier(verifier: string): void
  abstract codeVerifier(): string
}

const notHere = (): Error => fail('SW_INTERNAL', 'nobody signs in here')

/** This installation as itself: its tokens live in memory, and are asked for again. */
export class MachineProvider extends Provider {
  readonly redirectUrl = undefined
  readonly #learn: (secret: string) => void
  #tokens: StoredOAuthTokens | undefined

  constructor(identity: Identity, learn: (secret: string) => void) {
    super(identity)
    this.#learn = learn
  }

  clientInformation(): StoredOAuthClientInformation {
    return this.identity.client!
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#learn(tokens.access_token)
    this.#tokens = tokens
  }

  prepareTokenRequest(scope?: string): URLSearchParams {
    return new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) })
  }

  redirectToAuthorization(): void {
    throw notHere()
  }

  saveCodeVerifier(): void {}

  codeVerifier(): string {
    throw notHere()
  }
}

/** What a sign-in gave, renewed: the tokens of all processes are those of one secret. */
export class KeptProvider extends Provider {
  /** Never gone to: whoever would have to sign in is told so. */
  readonly redirectUrl = 'http://127.0.0.1/callback'
  readonly #login: KeptLogin
  readonly #loginRequired: (scope: string | null) => Error
  /** One that was refused is not tried again. */
  #refused: string | undefined
  record: LoginRecord

  constructor(
    identity: Identity,
    record: LoginRecord,
    login: KeptLogin,
    loginRequired: (scope: string | null) => Error,
  ) {
    super(identity)
    this.record = record
    this.#login = login
    this.#loginRequired = loginRequired
  }

  /** A declared client stands before the one that was registered: its secret may have been renewed. */
  clientInformation(): StoredOAuthClientInformation {
    const { client } = this.identity
    const { issuer } = this.record.client
    return client === null ? this.record.client : { ...(issuer === undefined ? {} : { issuer }), ...client }
  }

  async tokens(context?: OAuthClientInformationContext): Promise<StoredOAuthTokens | undefined> {
    // Before it is renewed: another process may have done that already.
    if (context !== undefined) this.record = (await this.#login.read()) ?? this.record
    const { refresh_token, ...rest } = this.record.tokens
    return refresh_token === undefined || refresh_token === this.#refused ? rest : { ...rest, refresh_token }
  }

  async saveTokens(tokens: StoredOAuthTokens): Promise<void> {
    const before = this.record.tokens
    // What is not said anew stays what it was.
    const { refresh_token = before.refresh_token, scope = before.scope } = tokens
    this.record = { ...this.record, tokens: { ...tokens, refresh_token, scope } }
    await this.#login.keep(this.record)
  }

  invalidateCredentials(what: string): void {
    if (what === 'tokens' || what === 'all') this.#refused = this.record.tokens.refresh_token
  }

  redirectToAuthorization(url: URL): void {
    throw this.#loginRequired(url.searchParams.get('scope'))
  }

  saveCodeVerifier(): void {}

  codeVerifier(): string {
    throw notHere()
  }
}

/** One sign-in by a person, from its beginning to its end. */
export class LoginProvider extends Provider {
  readonly redirectUrl: string
  readonly clientMetadataUrl?: string
  readonly #state: string
  #client: StoredOAuthClientInformation | undefined
  #verifier = ''
  #discovery: OAuthDiscoveryState | undefined
  /** Where the person goes. */
  url: URL | null = null
  given: StoredOAuthTokens | null = null

  constructor(identity: Identity, redirectUrl: string, state: string) {
    super(identity)
    this.redirectUrl = redirectUrl
    this.#state = state
    this.#client = identity.client ?? undefined
    if (identity.spec.clientMetadataURL !== undefined) this.clientMetadataUrl = identity.spec.clientMetadataURL
  }

  state(): string {
    return this.#state
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#client
  }

  /** One that is declared for an issuer is never replaced by one that is registered with another. */
  saveClientInformation(client: StoredOAuthClientInformation): void {
    const declared = this.identity.client
    if (declared !== null && declared.client_id !== client.client_id)
      throw fail('SW_MCP_LOGIN_FAILED', 'the server names another authorization server than the one clientId is for')
    this.#client = client
  }

  tokens(): undefined {}

  saveTokens(tokens: StoredOAuthTokens): void {
    this.given = tokens
  }

  redirectToAuthorization(url: URL): void {
    this.url = url
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }

  codeVerifier(): string {
    return this.#verifier
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    const { issuer } = this.identity.spec
    const found = state.authorizationServerMetadata?.issuer ?? state.authorizationServerUrl
    if (issuer !== undefined && issuer.replace(/\/$/, '') !== found.replace(/\/$/, ''))
      throw fail('SW_MCP_LOGIN_FAILED', `the server is behind ${found}, and its declaration says ${issuer}`)
    this.#discovery = state
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery
  }
}
