import type { ApiOptions } from '../api/server.ts'
import type { Config } from '../config/schema.ts'

/** How callers are known, as it is configured. */
export function authOf({ auth }: Config, adminToken: string): ApiOptions['auth'] {
  const { mode, issuer, audience } = auth
  if (issuer === null || audience === null) return { mode, adminToken }
  const { jwksUrl, rolesClaim, nameClaim, roleMap } = auth
  const client = auth.clientId === null ? null : { id: auth.clientId, secret: auth.clientSecret }
  return { mode, adminToken, client, issuer: { issuer, audience, jwksUrl, rolesClaim, nameClaim, roleMap } }
}
