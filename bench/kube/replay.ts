import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Kept {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}

/**
 * The floor under kubectl: a server that answers from memory what the real one answered the first time. What is left is
 * kubectl itself, and the bytes on the way.
 */
export async function startReplay(target: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const kept = new Map<string, Kept>()
  const server = createServer((request, response) => {
    const key = `${request.url} ${request.headers.accept}`
    const known = kept.get(key)
    const asked = known === undefined ? ask(target, request) : Promise.resolve(known)
    asked.then((found) => {
      kept.set(key, found)
      response.writeHead(found.status, { 'content-type': found.type, 'content-length': found.body.length })
      response.end(found.body)
    }, response.destroy.bind(response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function ask(target: string, { url, headers }: IncomingMessage): Promise<Kept> {
  const response = await fetch(target + url, { headers: { accept: headers.accept ?? '*/*' } })
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: Buffer.from(await response.arrayBuffer()),
  }
}
