import type { Access, Principal } from '../auth/principal.ts'
import type { Caller } from '../caller.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. Every route says so; a route that does not is refused at start. */
    access?: Access
    /** The name of its operation. */
    operation?: string
    /** Whether rate limits count it; default: yes. */
    isCounted?: boolean
  }
  interface FastifyReply {
    /** The answer stays open: how long it took says nothing. */
    isStream: boolean
  }
  interface FastifyRequest {
    principal: Principal
    /** What the route says of itself; undefined where there is none. */
    route: (FastifyContextConfig & { readonly url: string }) | undefined
  }
}

/** The caller of a request as services take it. */
export function callerOf({ principal, id }: { readonly principal: Principal; readonly id: string }): Caller {
  const roles = 'roles' in principal ? principal.roles : undefined
  return { actor: principal.name, correlationId: id, ...(roles === undefined ? {} : { roles }) }
}
