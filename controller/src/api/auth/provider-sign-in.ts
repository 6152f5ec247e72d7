import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client'
import type { Clock } from '../../lib/clock.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { PlainPrincipal } from './principal.ts'
import { type IssuerOptions, TokenIssuer } from './token-issuer.ts'

export interface ProviderOptions {
  readonly issuer: IssuerOptions
  /** As the provider knows this installation. */
  readonly clientId: string
  /** Null: a public client, which proves by PKCE alone that it began what it ends. */
  readonly clientSecret: string | null
}

/** Signs people in by the identity provider: authorization code with PKCE. What a browser keeps meanwhile is in `kept`. */
export class ProviderSignIn {
  readonly #options: ProviderOptions
  readonly #issuer: TokenIssuer
  readonly #log: Logger
  #configuration: Promise<Configuration> | null = null

  constructor(options: ProviderOptions, clock: Clock, log: Logger) {
    this.#options = options
    this.#log = log
    // An id token is for the client, and checked like every other token of the issuer.
    this.#issuer = new TokenIssuer({ ...options.issuer, audience: options.clientId }, clock)
  }

  /** Where to send the browser. Throws SW_NOT_READY when the provider cannot be reached. */
  async begin(callback: string): Promise<{ readonly url: string; readonly kept: string }> {
    const configuration = await this.#discover()
    const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()]
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: callback,
      scope: 'openid profile email',
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    return { url: url.href, kept: [state, nonce, verifier].join('.') }
  }

  /** Whom the provider vouches for; null when it does not, or somebody else began this. */
  async finish(current: URL, kept: string): Promise<PlainPrincipal | null> {
    const [expectedState = '', expectedNonce = '', pkceCodeVerifier = ''] = kept.split('.')
    const configuration = await this.#discover()
    try {
      const tokens = await authorizationCodeGrant(configuration, current, {
        ...{ expectedState, expectedNonce, pkceCodeVerifier, idTokenExpected: true },
      })
      return await this.#issuer.principalOf(tokens.id_token ?? '')
    } catch (error) {
      if (error instanceof StatewardError && error.status >= 500) throw error
      this.#log.warn({ reason: errorMessage(error) }, 'somebody could not be signed in by the identity provider')
      return null
    }
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.#options
    const address = new URL(issuer.issuer)
    this.#configuration ??= discovery(
      address,
      clientId,
      undefined,
      clientSecret === null ? None() : ClientSecretPost(clientSecret),
      // Only an issuer on this machine may be plain; the issuer's own check has seen to that.
      address.protocol === 'http:' ? { execute: [allowInsecureRequests] } : {},
    )
    try {
      return await this.#configuration
    } catch (error) {
      this.#configuration = null
      throw fail('SW_NOT_READY', `the identity provider cannot be reached: ${errorMessage(error)}`, { cause: error })
    }
  }
}
