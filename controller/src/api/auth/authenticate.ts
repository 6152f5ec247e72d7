import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { fail } from '../../lib/error-catalogue.ts'
import type { AgentIdentity, AuthMode, HostIdentity, PlainPrincipal, Principal } from './principal.ts'
import { OWNER_ROLES, verbsOf } from './roles.ts'
import { sessionOf } from './session-cookie.ts'
import { looksLikeJwt } from './token-issuer.ts'

export interface Authenticator {
  /** Throws SW_UNAUTHENTICATED for a credential that is none: a wrong one is never taken for anonymous. */
  authenticate(headers: IncomingHttpHeaders, method: string): Promise<Principal>
}

/** Whoever asks for something public, and so has not been looked at. */
export const NOBODY: Principal = { type: 'anonymous', name: 'anonymous', verbs: new Set() }
const USER = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/

/**
 * Credentials come as `Authorization: Bearer …`, as `X-API-Key: …`, or as the password of `Authorization: Basic …`, as git sends it: the admin credential of the data folder, an API key, the
 * token of an agent's instance, the credential of a joined host, or a token of the configured issuer. The admin credential may name the person behind it with
 * `X-Stateward-User` (the local CLI sends the OS user); nobody else may. Without any of these, the cookie of a browser counts for GET.
 */
export function createAuthenticator(options: {
  readonly mode: AuthMode
  readonly adminToken: string
  /** The live instance a token belongs to, or null. */
  readonly agentOf: (token: string) => Promise<AgentIdentity | null>
  /** The joined host a credential belongs to, or null. */
  readonly hostOf: (token: string) => Promise<HostIdentity | null>
  /** Whom an API key belongs to, or null. */
  readonly keyOf: (token: string) => Promise<PlainPrincipal | null>
  /** Whom the cookie of a browser stands for, or null. */
  readonly sessionOf: (token: string) => Promise<PlainPrincipal | null>
  /** Null: no issuer is configured. */
  readonly userOf: ((token: string) => Promise<PlainPrincipal>) | null
}): Authenticator {
  // Whoever may read without a name may also propose without one, where that is all it can come to.
  const nameless = new Set([...verbsOf(['viewer']), 'kube.write' as const])
  const anonymous: Principal = options.mode === 'none' ? { ...NOBODY, verbs: nameless } : NOBODY
  const [adminVerbs, agentVerbs, hostVerbs] = [verbsOf(['admin']), verbsOf(['agent']), verbsOf(['host'])]
  const adminToken = Buffer.from(options.adminToken)

  const holderOf = async (token: string): Promise<Principal | null> => {
    if (token.startsWith('swa_')) {
      const agent = await options.agentOf(token)
      return agent === null ? null : { ...agent, verbs: agentVerbs }
    }
    if (token.startsWith('swh_')) {
      const host = await options.hostOf(token)
      return host === null ? null : { ...host, verbs: hostVerbs }
    }
    if (token.startsWith('swk_')) return options.keyOf(token)
    return options.userOf !== null && looksLikeJwt(token) ? options.userOf(token) : null
  }

  return {
    async authenticate(headers, method) {
      const { token, named } = credentialOf(headers)
      const user = headers['x-stateward-user']
      if (token === null) {
        if (user !== undefined) throw fail('SW_UNAUTHENTICATED', 'X-Stateward-User needs the admin credential')
        // A browser sends its cookie unasked: it reads, and for everything else it is nothing. One that is over is none.
        const session = method === 'GET' ? sessionOf(headers) : null
        return (session === null ? null : await options.sessionOf(session)) ?? anonymous
      }
      // How long the credential is, is no secret; where another one differs from it takes no other time to see.
      if (token.length === adminToken.length && timingSafeEqual(Buffer.from(token, 'latin1'), adminToken))
        return { type: 'admin', name: userName(user ?? named), verbs: adminVerbs, roles: OWNER_ROLES }
      const holder = await holderOf(token)
      if (holder === null)
        throw fail('SW_UNAUTHENTICATED', `the token ${token.slice(0, 8)}… is not valid, or not any more`)
      if (user !== undefined) throw fail('SW_FORBIDDEN', `${holder.name} cannot speak for a user`)
      return holder
    },
  }
}

/** A token of an issuer may be long. */
const LONGEST = 8_192

interface Credential {
  readonly token: string | null
  /** The user name it came with, where that could be one: git sends one. */
  readonly named: string | undefined
}

function credentialOf(headers: IncomingHttpHeaders): Credential {
  const key = headers['x-api-key']
  if (typeof key === 'string' && key !== '') return { token: key, named: undefined }
  const { authorization } = headers
  if (typeof authorization !== 'string' || authorization === '') return { token: null, named: undefined }
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +([\x21-\x7e]+)$/i.exec(authorization) ?? []
  const [name, token] =
    scheme.toLowerCase() === 'basic' ? namedToken(value) : [undefined, scheme === '' ? undefined : value]
  if (token === undefined || token === '' || token.length > LONGEST)
    throw fail(
      'SW_UNAUTHENTICATED',
      'the Authorization header is neither "Bearer <token>" nor "Basic" with the token as the password',
    )
  return { token, named: name !== undefined && USER.test(name) ? name : undefined }
}

function namedToken(value: string): [name: string, token: string] {
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

function userName(user: string | string[] | undefined): string {
  if (user === undefined) return 'user:admin'
  if (typeof user !== 'string' || !USER.test(user)) throw fail('SW_BAD_REQUEST', 'X-Stateward-User is not a user name')
  return `user:${user}`
}
