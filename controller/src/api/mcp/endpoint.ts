import { Readable } from 'node:stream'
import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../../telemetry/logger.ts'
import { requestSignal } from '../http/request-signal.ts'
import type { Api } from '../http/typed.ts'

/** The largest message, in bytes. */
const MCP_BODY_LIMIT = 1_048_576

const MCP_PATH = '/mcp'

/**
 * Serves MCP over streamable HTTP: the current revision as it is, older ones without sessions, so that any process may
 * answer any request. GET and DELETE, which belong to sessions, are 405.
 */
export function addMcpEndpoint(
  app: Api,
  options: {
    readonly log: Logger
    readonly stopping: AbortSignal
    /** A server for one request. */
    readonly serverFor: (request: FastifyRequest) => ReturnType<McpServerFactory>
  },
): void {
  const handler = createMcpHandler(
    // Whoever asks was looked at by the hooks: what is handed through here is the request they let pass.
    ({ authInfo }) => options.serverFor(authInfo?.extra?.['request'] as FastifyRequest),
    {
      maxRequestBodySize: MCP_BODY_LIMIT,
      onerror: (error) => options.log.debug({ err: error }, 'a message of an MCP client was refused'),
    },
  )
  app.addHook('onClose', () => handler.close())
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const web = webRequest(request, requestSignal(reply, options.stopping))
    const { name } = request.principal
    const response = await handler.fetch(web, {
      authInfo: { token: '', clientId: name, scopes: [], extra: { request } },
    })
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
