import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server'
import type { KindDefinition } from '../../kinds/definition.ts'
import type { Principal } from '../auth/principal.ts'
import {
  apiPathOf,
  DOCS_TEMPLATE,
  type Guide,
  listedResources,
  PROPOSAL_TEMPLATES,
  PROPOSALS,
  pageNameOf,
  READ_TEMPLATES,
} from './resources.ts'
import type { McpSubscriptions } from './subscriptions.ts'
import { inputFor, requestOf, type ToolRequest, type ToolRoute } from './tool-routes.ts'

/** What the API answered to a request of the same caller. */
export interface ApiAnswer {
  readonly status: number
  /** As it was sent; empty for 204. */
  readonly text: string
}

export interface McpParts {
  readonly tools: ReadonlyMap<string, ToolRoute>
  readonly kinds: readonly KindDefinition[]
  readonly guide: Guide
  readonly version: string
}

const INSTRUCTIONS =
  'Stateward keeps a fleet of agents equal to what a Git repository declares. Read tasks with tasks_pickup and report them with tasks_report; ' +
  'read messages with messages_read and acknowledge each with messages_ack. Nothing is changed directly: proposals_propose opens a change, and people merge it. ' +
  'Resources under stateward://docs/ explain the rest.'

/** What tools and resources there are depends on the caller alone, so only he may keep it. */
const KEPT = { ttlMs: 60_000, cacheScope: 'private' } as const

/** Who sent a message, and how the API is asked in his name: of each message anew, in a session too. */
export interface McpRequester {
  readonly principal: Principal
  readonly ask: (request: ToolRequest, signal: AbortSignal) => Promise<ApiAnswer>
}

/**
 * A server for one request, or for one session: it shows what the caller may use, and does all it does by asking the API in the
 * caller's name. So credentials, access, limits, checks and the log are those of the API, whatever a client sends.
 */
export function mcpServer(
  { tools, kinds, guide, version }: McpParts,
  callerOf: (context: ServerContext) => McpRequester,
  subscriptions: McpSubscriptions | null,
): Server {
  const server = new Server(
    { name: 'stateward', title: 'Stateward', version },
    {
      capabilities: { tools: {}, resources: subscriptions === null ? {} : { subscribe: true } },
      instructions: INSTRUCTIONS,
      cacheHints: {
        'tools/list': KEPT,
        'resources/list': KEPT,
        'resources/templates/list': KEPT,
        'server/discover': KEPT,
      },
    },
  )
  const mayUse = ({ verbs }: Principal, { route: { access } }: ToolRoute) => access === 'public' || verbs.has(access)

  const read = async (uri: string, context: ServerContext): Promise<string> => {
    const url = apiPathOf(uri, kinds)
    if (url === null) throw new ResourceNotFoundError(uri)
    const answer = await callerOf(context).ask({ method: 'GET', url, body: undefined }, context.mcpReq.signal)
    if (answer.status === 404) throw new ResourceNotFoundError(uri)
    if (answer.status >= 400) throw new ProtocolError(ProtocolErrorCode.InvalidRequest, problemOf(answer))
    return answer.text
  }

  server.setRequestHandler('tools/list', (_request, context) => {
    const { principal } = callerOf(context)
    return {
      tools: [...tools.values()].filter((each) => mayUse(principal, each)).map((each) => toolFor(each, principal)),
    }
  })
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const found = tools.get(params.name)
    if (found === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no tool ${params.name}`)
    const { principal, ask } = callerOf(context)
    const request = requestOf(found, principal, params.arguments ?? {})
    return toolResult(found, await ask(request, context.mcpReq.signal))
  })

  server.setRequestHandler('resources/list', async (_request, context) => {
    const { principal } = callerOf(context)
    const listed = principal.verbs.has('read') ? listedResources(kinds) : []
    const proposals = principal.verbs.has('proposals.read') ? [PROPOSALS] : []
    return { resources: [...listed, ...proposals, ...(await guide.pages())] }
  })
  server.setRequestHandler('resources/templates/list', (_request, context) => {
    const { verbs } = callerOf(context).principal
    return {
      resourceTemplates: [
        ...(verbs.has('read') ? READ_TEMPLATES : []),
        ...(verbs.has('proposals.read') ? PROPOSAL_TEMPLATES : []),
        DOCS_TEMPLATE,
      ],
    }
  })
  server.setRequestHandler('resources/read', async ({ params: { uri } }, context) => {
    const page = pageNameOf(uri)
    if (page !== null) {
      const text = await guide.page(page)
      if (text === null) throw new ResourceNotFoundError(uri)
      return { contents: [{ uri, mimeType: 'text/markdown', text }] }
    }
    return { contents: [{ uri, mimeType: 'application/json', text: await read(uri, context) }] }
  })
  if (subscriptions !== null) addSubscriptions(server, subscriptions, read)
  return server
}

/** Whoever may read something is told when it may have changed. Pages of the guide do not. */
function addSubscriptions(
  server: Server,
  subscriptions: McpSubscriptions,
  read: (uri: string, context: ServerContext) => Promise<string>,
): void {
  const opened = subscriptions.open((uri) => {
    // Who went away is told nothing more: his session ends by itself.
    server.sendResourceUpdated({ uri }).catch(() => {})
  })
  server.onclose = () => opened.close()
  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }, context) => {
    if (pageNameOf(uri) === null) await read(uri, context)
    if (!opened.add(uri)) throw new ProtocolError(ProtocolErrorCode.InvalidRequest, 'too many subscriptions')
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    opened.remove(uri)
    return {}
  })
}

function toolFor(each: ToolRoute, principal: Principal): Tool {
  const { tool, route, output } = each
  const readOnlyHint = tool.readOnly ?? route.method === 'GET'
  return {
    name: tool.name,
    title: route.summary,
    description: route.description === undefined ? `${route.summary}.` : `${route.summary}. ${route.description}`,
    // Plain JSON Schema; the protocol's own type is narrower than what it lets through.
    inputSchema: inputFor(each, principal) as unknown as Tool['inputSchema'],
    ...(output === null ? {} : { outputSchema: output as unknown as NonNullable<Tool['outputSchema']> }),
    annotations: {
      readOnlyHint,
      destructiveHint: tool.destructive ?? false,
      idempotentHint: readOnlyHint || route.idempotency === false,
      openWorldHint: false,
    },
  }
}

/** What went wrong is a result, too: the model reads it and may do better. */
function toolResult({ tool, output }: ToolRoute, answer: ApiAnswer) {
  if (answer.status >= 400) return { isError: true, content: [{ type: 'text' as const, text: problemOf(answer) }] }
  const text = answer.text === '' ? JSON.stringify(tool.nothing ?? {}) : answer.text
  const content = [{ type: 'text' as const, text }]
  if (output === null && tool.nothing === undefined) return { content }
  return { content, structuredContent: JSON.parse(text) as Record<string, unknown> }
}

/** `not_found (SW_NOT_FOUND): there is no run x. Check the name.` */
function problemOf({ status, text }: ApiAnswer): string {
  const { error, message } = JSON.parse(text) as {
    error?: { code: string; message: string; details: { ref: string; remedy: string } }
    /** Of /kube. */
    message?: string
  }
  if (error === undefined) return message ?? `the server answered ${status}`
  return `${error.code} (${error.details.ref}): ${error.message}\nwhat to do: ${error.details.remedy}`
}
