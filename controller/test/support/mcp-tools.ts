import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'

/** A tool as a test writes it into a file: what is offered is read anew for each request. */
export interface Offer {
  readonly name: string
  readonly description?: string
  readonly inputSchema: object
  readonly annotations?: object
}

/** A real server of the tools in a file; every tool answers with its arguments and who answered. */
export function toolServer(file: string): Server {
  const server = new Server({ name: 'offers', version: '1.2.3' }, { capabilities: { tools: {} } })
  const offers = (): Offer[] => JSON.parse(readFileSync(file, 'utf8')) as Offer[]
  server.setRequestHandler('tools/list', () => ({ tools: offers() as never[] }))
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const { name, arguments: given = {} } = params
    if (given['fail'] === true) return { isError: true, content: [{ type: 'text', text: 'it broke: token swk_abc' }] }
    if (typeof given['wait'] === 'number') await new Promise((resolve) => setTimeout(resolve, Number(given['wait'])))
    const output = { name, given, pid: process.pid, trace: context.mcpReq._meta?.['traceparent'] ?? null }
    return { content: [{ type: 'text', text: JSON.stringify(output) }] }
  })
  return server
}

export interface HttpToolServer {
  readonly url: string
  readonly port: number
  readonly headers: IncomingHttpHeaders[]
  close(): Promise<void>
}

/** Answers a request in the place of the tools; null = it may pass. `message` is what was sent. */
export type Doorkeeper = (request: IncomingMessage, message: string, origin: string) => Response | null

/** The same over streamable HTTP. */
export async function serveToolsOverHttp(
  file: string,
  port = 0,
  doorkeeper: Doorkeeper = () => null,
): Promise<HttpToolServer> {
  const handler = createMcpHandler(() => toolServer(file))
  const headers: IncomingHttpHeaders[] = []
  const server = createServer(async (request, response) => {
    headers.push(request.headers)
    const body = request.method === 'POST' ? await buffer(request) : null
    const refused = doorkeeper(request, body?.toString() ?? '', `http://${request.headers.host}`)
    const answer =
      refused ??
      (await handler.fetch(
        new Request(`http://127.0.0.1${request.url}`, {
          method: request.method ?? 'POST',
          headers: request.headers as Record<string, string>,
          ...(body === null ? {} : { body }),
        }),
      ))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    if (answer.body === null) response.end()
    else Readable.fromWeb(answer.body as never).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const at = (server.address() as AddressInfo).port
  return {
    ...{ url: `http://127.0.0.1:${at}/mcp`, port: at, headers },
    async close() {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
