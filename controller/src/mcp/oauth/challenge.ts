import { computeScopeUnion, extractWWWAuthenticateParams } from '@modelcontextprotocol/client'

/** Why a server did not let a message in. */
export interface Challenge {
  /** unauthorized: the token is none, or none any more. scope: it is not enough for this. */
  readonly kind: 'unauthorized' | 'scope'
  readonly resourceMetadataUrl: URL | undefined
  /** What it takes, as far as the server says so. */
  readonly scope: string | undefined
}

/** Null for an answer that is none. */
export function challengeOf(response: Response): Challenge | null {
  if (response.status !== 401 && response.status !== 403) return null
  const { error, resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response)
  if (response.status === 403 && error !== 'insufficient_scope') return null
  return { kind: response.status === 401 ? 'unauthorized' : 'scope', resourceMetadataUrl, scope }
}

/** Every scope that is needed, each once; undefined where nobody names one. */
export function scopesFor(declared: readonly string[] | undefined, ...texts: readonly (string | undefined)[]) {
  return computeScopeUnion(declared?.join(' '), ...texts)
}
