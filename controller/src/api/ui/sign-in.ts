import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PageSessions } from '../auth/page-sessions.ts'
import { SESSION_MS } from '../auth/page-sessions.ts'
import type { ProviderSignIn } from '../auth/provider-sign-in.ts'
import { sessionCookie, sessionOf } from '../auth/session-cookie.ts'
import { isSecure, ownAddress } from '../http/own-address.ts'
import type { Api } from '../http/typed.ts'
import { plainPage } from './plain-page.ts'

export interface SignInOptions {
  readonly sessions: PageSessions
  /** Null: no identity provider signs people in. */
  readonly provider: ProviderSignIn | null
  readonly home: string
}

const KEPT = 'stateward_sign_in'
const KEPT_PATTERN = /(?:^|;) *stateward_sign_in=([\w.-]{1,600})(?:;|$)/

/** Signing a browser in and out: by a link that works once, and by the identity provider. All by GET, since the page is. */
export function addSignInRoutes(app: Api, { sessions, provider, home }: SignInOptions): void {
  const config = { access: 'public' } as const

  app.get('/ui/session.json', { config }, async (request, reply) => {
    const token = sessionOf(request.headers)
    const principal = token === null ? null : await sessions.principalOf(token)
    reply.header('cache-control', 'no-store')
    return {
      principal: principal?.name ?? null,
      expires_at: principal?.expiresAt.toISOString() ?? null,
      provider: provider !== null,
    }
  })

  app.get<{ Params: { link: string } }>('/ui/sign-in/:link', { config }, async (request, reply) => {
    const token = /^swl_[0-9A-Za-z]{43}$/.test(request.params.link)
      ? await sessions.open(request.params.link, request.id)
      : null
    if (token === null)
      return refuse(reply, 410, 'This link was used, or is over', 'A link works once, for five minutes.')
    return welcome(request, reply, token)
  })

  app.get('/ui/sign-out', { config }, async (request, reply) => {
    const token = sessionOf(request.headers)
    if (token !== null) await sessions.end(token, request.id)
    reply.header('set-cookie', sessionCookie('', { maxAgeMs: 0, secure: isSecure(request) }))
    return reply.header('cache-control', 'no-store').redirect('/ui/', 303)
  })

  const welcome = (request: FastifyRequest, reply: FastifyReply, token: string): FastifyReply => {
    reply.header('set-cookie', sessionCookie(token, { maxAgeMs: SESSION_MS, secure: isSecure(request) }))
    return reply.header('cache-control', 'no-store').redirect(home, 303)
  }

  if (provider === null) return
  app.get('/ui/sign-in', { config }, async (request, reply) => {
    const { url, kept } = await provider.begin(callbackOf(request))
    // Lax: the provider's redirect comes from another site, and has to bring it.
    const flags = `Path=/ui/sign-in; Max-Age=600; HttpOnly; SameSite=Lax${isSecure(request) ? '; Secure' : ''}`
    reply.header('set-cookie', `${KEPT}=${kept}; ${flags}`)
    return reply.header('cache-control', 'no-store').redirect(url, 303)
  })

  app.get('/ui/sign-in/callback', { config }, async (request, reply) => {
    const kept = KEPT_PATTERN.exec(request.headers.cookie ?? '')?.[1]
    if (kept === undefined) return refuse(reply, 400, 'Nobody was signing in here', 'Begin again.')
    const principal = await provider.finish(new URL(request.url, callbackOf(request)), kept)
    if (principal === null)
      return refuse(reply, 403, 'The identity provider did not vouch for anybody', 'Begin again, or ask who runs it.')
    return welcome(request, reply, await sessions.startFor(principal, request.id))
  })
}

function refuse(reply: FastifyReply, code: number, title: string, text: string): FastifyReply {
  const body = plainPage(title, `${text} On a machine where the command line works, this makes a link:`, 'stateward ui')
  return reply.code(code).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(body)
}

/** Where the provider sends the browser back to: the address it was asked at, whose name was checked. */
function callbackOf(request: FastifyRequest): string {
  return `${ownAddress(request)}/ui/sign-in/callback`
}
