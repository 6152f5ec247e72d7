import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/** Below what the system gives to clients, whose closed connections hold a port for a minute. */
const FIRST = 10_000
const LAST = 32_000

/** A port of the loopback that nobody has, and after it `following` more: streams and TLS stand beside the API. */
export async function freePort(following = 0): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST)
    const held: Server[] = []
    try {
      for (let next = port; next <= port + following; next++) held.push(await listen(next))
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    } finally {
      for (const server of held) await new Promise((resolve) => server.close(resolve))
    }
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
