import type { IncomingHttpHeaders } from 'node:http'

const NAME = 'stateward_session'
const PATTERN = /(?:^|;) *stateward_session=(swu_[0-9A-Za-z]{43})(?:;|$)/

/** The session a browser sends; null when it sends none. */
export function sessionOf({ cookie }: Pick<IncomingHttpHeaders, 'cookie'>): string | null {
  return cookie === undefined ? null : (PATTERN.exec(cookie)?.[1] ?? null)
}

/**
 * Sets the cookie: no script reads it, no other site has it sent, and over TLS it is never sent in the clear. Empty = takes
 * it away.
 */
export function sessionCookie(token: string, options: { readonly maxAgeMs: number; readonly secure: boolean }): string {
  const seconds = Math.floor(options.maxAgeMs / 1_000)
  return `${NAME}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${options.secure ? '; Secure' : ''}`
}
