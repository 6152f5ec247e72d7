import type { FastifyRequest } from 'fastify'
import { ownAddress } from '../http/own-address.ts'
import type { Api } from '../http/typed.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Tells MCP clients which issuer's tokens `/mcp` takes (RFC 9728), so that they sign their people in by themselves. */
export function addProtectedResource(app: Api, issuer: string): void {
  const config = { access: 'public', operation: 'protectedResource' } as const
  for (const url of [WELL_KNOWN, `${WELL_KNOWN}/mcp`])
    app.get(url, { config }, (request, reply) =>
      reply.header('cache-control', 'no-store').send({
        resource: `${ownAddress(request)}/mcp`,
        resource_name: 'Stateward',
        authorization_servers: [issuer],
        bearer_methods_supported: ['header'],
      }),
    )
}

/** What a refusal of `/mcp` says besides; null elsewhere. */
export function resourceMetadataOf(request: FastifyRequest): string | null {
  return request.url.split('?', 1)[0] === '/mcp' ? `${ownAddress(request)}${WELL_KNOWN}/mcp` : null
}
