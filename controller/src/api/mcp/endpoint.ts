import { Readable } from 'node:stream'
import { createMcpHandler, isLegacyRequest, type Server } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isObject } from '../../lib/json.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { requestSignal } from '../http/request-signal.ts'
import type { Api } from '../http/typed.ts'
import { McpSessions } from './sessions.ts'

/** The largest message, in bytes. */
const MCP_BODY_LIMIT = 1_048_576

const MCP_PATH = '/mcp'

/**
 * Serves MCP over streamable HTTP: the current revision as it is, which knows no sessions; older ones with a session where
 * their client begins one, and without where it does not, so that any process may answer what needs none.
 */
export function addMcpEndpoint(
  app: Api,
  options: {
    readonly log: Logger
    readonly stopping: AbortSignal
    readonly monotonicMs: () => number
    /** A server for one request, or for a session. What is asked is in `context.http.authInfo.extra.request`. */
    readonly serverFor: (place: { readonly isSession: boolean }) => Server
  },
): void {
  const handler = createMcpHandler(() => options.serverFor({ isSession: false }), {
    maxRequestBodySize: MCP_BODY_LIMIT,
    onerror: (error) => options.log.debug({ err: error }, 'a message of an MCP client was refused'),
  })
  const sessions = new McpSessions(() => options.serverFor({ isSession: true }), options.monotonicMs)
  app.addHook('onClose', async () => {
    await sessions.close()
    await handler.close()
  })
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const ended = requestSignal(reply, options.stopping)
    const web = webRequest(request, ended)
    // Whoever asks was looked at by the hooks: what is handed through here is the request they let pass.
    const [{ principal }, extra] = [request, { request }]
    const isLegacy = await isLegacyRequest(web, undefined, { maxRequestBodySize: MCP_BODY_LIMIT })
    const within = isLegacy
      ? await sessions.answer({ web, principal, method: methodOf(request.body), extra, ended })
      : null
    const response =
      within ?? (await handler.fetch(web, { authInfo: { token: '', clientId: principal.name, scopes: [], extra } }))
    reply.code(response.status)
    for (const [name, value] of response.headers) reply.header(name, value)
    if (response.body === null) return reply.send()
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) reply.isStream = true
    return reply.send(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]))
  }
  app.register(async (scope: Api) => {
    // Messages are read by the protocol's own parser: what is wrong with one is answered in its words.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MCP_BODY_LIMIT }, (_request, body, done) =>
      done(null, body),
    )
    scope.route({
      method: ['GET', 'POST', 'DELETE'],
      url: MCP_PATH,
      bodyLimit: MCP_BODY_LIMIT,
      config: { access: 'mcp.connect', operation: 'mcp' },
      handler: answer,
    })
  })
}

function methodOf(body: unknown): string | null {
  if (!Buffer.isBuffer(body)) return null
  try {
    const message: unknown = JSON.parse(body.toString('utf8'))
    return isObject(message) && typeof message['method'] === 'string' ? message['method'] : null
  } catch {
    return null
  }
}

function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) headers.append(name, each)
  const { body } = request
  return new Request(`http://${request.headers.host ?? 'localhost'}${request.url}`, {
    method: request.method,
    headers,
    signal,
    ...(Buffer.isBuffer(body) ? { body } : {}),
  })
}
