import type { ServerContext } from '@modelcontextprotocol/server'
import type { FastifyRequest } from 'fastify'
import type { ApiContext } from '../context.ts'
import type { RouteFacts } from '../http/route.ts'
import type { Api } from '../http/typed.ts'
import { addMcpEndpoint } from './endpoint.ts'
import { type ApiAnswer, type McpRequester, mcpServer } from './mcp-server.ts'
import { Guide } from './resources.ts'
import { McpSubscriptions } from './subscriptions.ts'
import { type ToolRequest, toolRoutes } from './tool-routes.ts'

/** What says who asks: it goes with every request that a tool makes. */
const CREDENTIALS = ['authorization', 'x-api-key', 'x-stateward-user'] as const

/** The MCP server at `/mcp`: the bus, tasks, proposals, runs, events and costs as tools, what can be read as resources. */
export function addMcpRoutes(app: Api, context: ApiContext, routes: readonly RouteFacts[]): void {
  const parts = { tools: toolRoutes(routes), kinds: context.kinds, guide: new Guide(), version: context.version }
  const subscriptions = new McpSubscriptions({
    ...{ tail: context.tail, kinds: context.kinds, stopping: context.stopping },
    onError: (error) =>
      context.log.warn({ err: error }, 'the log could not be read for MCP subscriptions; trying again'),
  })
  const callerOf = (at: ServerContext): McpRequester => {
    const request = at.http?.authInfo?.extra?.['request'] as FastifyRequest
    return { principal: request.principal, ask: (asked, signal) => ask(app, request, asked, signal) }
  }
  addMcpEndpoint(app, {
    log: context.log,
    stopping: context.stopping,
    monotonicMs: () => context.clock.monotonicMs(),
    serverFor: ({ isSession }) => mcpServer(parts, callerOf, isSession ? subscriptions : null),
  })
}

/** Asks the API as the caller himself would, under the same correlation id. */
async function ask(
  app: Api,
  outer: FastifyRequest,
  { method, url, body }: ToolRequest,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const { statusCode, payload } = await app.inject({
    method,
    url,
    signal,
    remoteAddress: outer.ip,
    headers: {
      // The name the caller used was looked at before.
      host: 'localhost',
      'x-correlation-id': outer.id,
      ...Object.fromEntries(
        CREDENTIALS.flatMap((name) => (outer.headers[name] === undefined ? [] : [[name, outer.headers[name]]])),
      ),
    },
    ...(body === undefined ? {} : { payload: body }),
  })
  return { status: statusCode, text: payload }
}
