import type { ApiOptions } from '../api/server.ts'
import type { Config } from '../config/schema.ts'

/** How callers are known, as it is configured. */
export function authOf({ auth }: Config, adminToken: string): ApiOptions['auth'] {
  const { mode, issuer, audience } = auth
  if (issuer === null || audience === null) return { mode, adminToken }
  const { jwksUrl, rolesClaim, nameClaim, roleMap } = auth
  return { mode, adminToken, issuer: { issuer, audience, jwksUrl, rolesClaim, nameClaim, roleMap } }
}
