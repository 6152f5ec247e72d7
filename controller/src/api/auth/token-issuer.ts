import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import { isObject } from '../../lib/json.ts'
import type { PlainPrincipal } from './principal.ts'
import { type RoleName, roleNamed, verbsOf, withIncluded } from './roles.ts'

export interface IssuerOptions {
  /** As `iss` says it. */
  readonly issuer: string
  readonly audience: string
  /** Where its keys are; null = where its discovery document says. */
  readonly jwksUrl: string | null
  /** The claim that holds roles or groups, with dots for a claim inside another: `realm_access.roles`. */
  readonly rolesClaim: string
  /** The claim that names the person. */
  readonly nameClaim: string
  /** `value=role`; with any of these, values that are not here count for nothing. Without, values are names of roles. */
  readonly roleMap: readonly string[]
}

/** What is signed with a shared secret, or not at all, is never taken. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const CLOCK_TOLERANCE_SECONDS = 30
const FETCH_MS = 5_000
/** Failures to get keys: the token may be good, we cannot tell. */
const NO_KEYS = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']

/** Whether a credential has the form of a JSON Web Token. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
}

/**
 * Whom a token of an OIDC issuer vouches for. Its keys are fetched at the first token, kept, and fetched again for a key
 * that is not among them, so that a rotation needs no restart.
 */
export class TokenIssuer {
  readonly #options: IssuerOptions
  readonly #clock: Clock
  readonly #roleMap: ReadonlyMap<string, RoleName>
  #keys: Promise<JWTVerifyGetKey> | null = null

  /** Throws SW_CONFIG_INVALID for addresses that are not safe and for roles that do not exist. */
  constructor(options: IssuerOptions, clock: Clock) {
    for (const url of [options.issuer, ...(options.jwksUrl === null ? [] : [options.jwksUrl])]) checkUrl(url)
    this.#options = options
    this.#clock = clock
    this.#roleMap = new Map(options.roleMap.map(readMapping))
  }

  /** Throws SW_UNAUTHENTICATED for a token that is not good, SW_NOT_READY when the issuer's keys cannot be read. */
  async principalOf(token: string): Promise<PlainPrincipal> {
    const { issuer, audience, nameClaim } = this.#options
    let claims: JWTPayload
    try {
      const keys = await this.#keySet()
      const options = {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: this.#clock.now(),
        requiredClaims: ['sub', 'exp'],
      }
      claims = (await jwtVerify(token, keys, options)).payload
    } catch (error) {
      if (error instanceof errors.JOSEError && !NO_KEYS.includes(error.code)) {
        throw fail('SW_UNAUTHENTICATED', `the token is not valid: ${error.message}`, { cause: error })
      }
      throw fail('SW_NOT_READY', `the keys of ${issuer} cannot be read: ${errorMessage(error)}`, { cause: error })
    }
    const name = claims[nameClaim]
    if (typeof name !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(name))
      throw fail('SW_UNAUTHENTICATED', `the token has no claim "${nameClaim}" that names somebody`)
    const roles = this.#rolesOf(claims)
    return { type: 'user', name: `user:${name}`, verbs: verbsOf(roles), roles: withIncluded(roles) }
  }

  #rolesOf(claims: JWTPayload): RoleName[] {
    let value: unknown = claims
    for (const key of this.#options.rolesClaim.split('.')) value = isObject(value) ? value[key] : undefined
    const words = typeof value === 'string' ? value.split(/[\s,]+/) : Array.isArray(value) ? value : []
    return words
      .filter((word): word is string => typeof word === 'string')
      .map((word) => (this.#roleMap.size > 0 ? (this.#roleMap.get(word) ?? null) : roleNamed(word)))
      .filter((role): role is RoleName => role !== null && role !== 'agent' && role !== 'host')
  }

  async #keySet(): Promise<JWTVerifyGetKey> {
    this.#keys ??= this.#open()
    try {
      return await this.#keys
    } catch (error) {
      // The next token tries again.
      this.#keys = null
      throw error
    }
  }

  async #open(): Promise<JWTVerifyGetKey> {
    const { jwksUrl, issuer } = this.#options
    return createRemoteJWKSet(new URL(jwksUrl ?? (await discover(issuer))), { timeoutDuration: FETCH_MS })
  }
}

async function discover(issuer: string): Promise<string> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(address, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'error' })
  if (!response.ok) throw new Error(`${address} answered ${response.status}`)
  const document: unknown = await response.json()
  const url = isObject(document) ? document['jwks_uri'] : undefined
  if (!isObject(document) || document['issuer'] !== issuer || typeof url !== 'string')
    throw new Error(`${address} is not the discovery document of ${issuer}`)
  checkUrl(url)
  return url
}

function checkUrl(text: string): void {
  const url = URL.parse(text)
  const isLoopback = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback))) return
  throw fail('SW_CONFIG_INVALID', `an issuer and its keys have https addresses, not ${text}`)
}

function readMapping(text: string): [string, RoleName] {
  const at = text.lastIndexOf('=')
  const role = at > 0 ? roleNamed(text.slice(at + 1)) : null
  if (role === null || role === 'agent' || role === 'host')
    throw fail('SW_CONFIG_INVALID', `auth.roleMap takes value=role, and "${text}" names no role`)
  return [text.slice(0, at), role]
}
