import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json as readJson } from 'node:stream/consumers'

export interface StubRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

/** What a route answers: JSON with 200, or whatever it does with the response itself. */
export type StubRoute = (request: StubRequest, response: ServerResponse) => unknown

export interface StubApi {
  readonly url: string
  readonly requests: readonly StubRequest[]
  close(): Promise<void>
}

/** An HTTP server with canned routes (`GET /api/v1/health`) on a free loopback port; everything else is 404 in the API's shape. */
export async function startStubApi(routes: Readonly<Record<string, StubRoute>>): Promise<StubApi> {
  const requests: StubRequest[] = []
  const server = createServer(async (incoming, response) => {
    const url = new URL(incoming.url!, 'http://stub')
    const body = incoming.method === 'GET' ? null : await readJson(incoming).catch(() => null)
    const request: StubRequest = {
      method: incoming.method!,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: incoming.headers,
      body,
    }
    requests.push(request)
    const route = routes[`${request.method} ${request.path}`]
    if (route === undefined) return refuse(response, 404, 'not_found', 'SW_NOT_FOUND', `no route ${request.path}`)
    const answer = await route(request, response)
    if (answer === undefined || response.headersSent) return
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Answers with the API's one error shape. */
export function refuse(response: ServerResponse, status: number, code: string, ref: string, message: string): void {
  const body = { error: { code, message, details: { ref, remedy: `the remedy of ${ref}` } }, correlation_id: 'c-1' }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
