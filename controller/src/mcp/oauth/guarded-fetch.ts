import type { FetchLike } from '@modelcontextprotocol/client'
import type { DeclaredServer, OAuthDependencies } from '../ports.ts'

const ANSWER_MS = 30_000

/**
 * Asks what a server, or its authorization server, names: none of it stands in a commit, so each host is looked at before.
 * Never follows a redirect.
 */
export function guardedFetch(server: DeclaredServer, { reach }: Pick<OAuthDependencies, 'reach'>): FetchLike {
  const { url, oauth } = server.spec.http!
  const declared = new Set(
    [url, ...(oauth?.issuer === undefined ? [] : [oauth.issuer])].map((at) => new URL(at).hostname),
  )
  return async (input, init) => {
    const { hostname } = new URL(input)
    await reach(server.namespace, hostname, declared.has(hostname))
    return fetch(input, { ...init, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) })
  }
}
