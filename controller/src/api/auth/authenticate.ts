import { timingSafeEqual } from 'node:crypto'
import { sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { AgentIdentity, AuthMode, Principal } from './principal.ts'
import { verbsOf } from './roles.ts'

export interface Authenticator {
  /** Throws SW_UNAUTHENTICATED for a credential that is none: a wrong one is never taken for anonymous. */
  authenticate(headers: Readonly<Record<string, string | string[] | undefined>>): Promise<Principal>
}

/** Whoever asks for something public, and so has not been looked at. */
export const NOBODY: Principal = { type: 'anonymous', name: 'anonymous', verbs: new Set() }

const USER = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/

/**
 * Credentials come as `Authorization: Bearer …` or `X-API-Key: …`. The admin credential may name the person behind it with
 * `X-Stateward-User` (the local CLI sends the OS user); nobody else may.
 */
export function createAuthenticator(options: {
  readonly mode: AuthMode
  readonly adminToken: string
  /** The live instance a token belongs to, or null. */
  readonly agentOf: (token: string) => Promise<AgentIdentity | null>
}): Authenticator {
  const anonymous: Principal = options.mode === 'none' ? { ...NOBODY, verbs: verbsOf(['viewer']) } : NOBODY
  const [adminVerbs, agentVerbs] = [verbsOf(['admin']), verbsOf(['agent'])]
  const adminDigest = Buffer.from(sha256(options.adminToken), 'hex')
  return {
    async authenticate(headers) {
      const token = tokenOf(headers)
      const user = headers['x-stateward-user']
      if (token === null) {
        if (user !== undefined) throw fail('SW_UNAUTHENTICATED', 'X-Stateward-User needs the admin credential')
        return anonymous
      }
      // Digests have one length, so the comparison takes the same time whatever was sent.
      if (timingSafeEqual(Buffer.from(sha256(token), 'hex'), adminDigest))
        return { type: 'admin', name: userName(user), verbs: adminVerbs }
      const agent = token.startsWith('swa_') ? await options.agentOf(token) : null
      if (agent === null)
        throw fail('SW_UNAUTHENTICATED', `the token ${token.slice(0, 8)}… is not valid, or not any more`)
      if (user !== undefined) throw fail('SW_FORBIDDEN', 'an agent cannot speak for a user')
      return { ...agent, verbs: agentVerbs }
    },
  }
}

function tokenOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const key = headers['x-api-key']
  if (typeof key === 'string' && key !== '') return key
  const authorization = headers['authorization']
  if (typeof authorization !== 'string' || authorization === '') return null
  const [, token] = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization) ?? []
  if (token === undefined) throw fail('SW_UNAUTHENTICATED', 'the Authorization header is not "Bearer <token>"')
  return token
}

function userName(user: string | string[] | undefined): string {
  if (user === undefined) return 'user:admin'
  if (typeof user !== 'string' || !USER.test(user)) throw fail('SW_BAD_REQUEST', 'X-Stateward-User is not a user name')
  return `user:${user}`
}
