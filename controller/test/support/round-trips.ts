import { connect, createServer, type Socket } from 'node:net'

export interface RoundTrips {
  readonly url: string
  /** How often a client has waited for an answer so far. */
  count(): number
  close(): Promise<void>
}

/** A way to a database that counts how often something is sent after something was received. */
export async function countRoundTrips(target: string): Promise<RoundTrips> {
  const to = new URL(target)
  const sockets = new Set<Socket>()
  let trips = 0
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname)
    let isAnswered = true
    client.on('data', (chunk) => {
      if (isAnswered) trips += 1
      isAnswered = false
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      isAnswered = true
      client.write(chunk)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as { port: number }).port)
  return {
    url: url.href,
    count: () => trips,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
