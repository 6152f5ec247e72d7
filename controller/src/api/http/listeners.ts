import { lstat, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { fail } from '../../lib/error-catalogue.ts'
import type { Logger } from '../../telemetry/logger.ts'

export interface Listeners {
  readonly port: number
  /** `http://127.0.0.1:8088`, `http://[::1]:8088`. */
  readonly urls: readonly string[]
  /** Takes no more connections, waits for what is under way, and cuts off what is left after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** What a listener over TLS shows, in PEM. */
export interface TlsKeys {
  readonly cert: string
  readonly key: string
}

const SWEEP_MS = 50

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Listens on the same port of every host (both address families of the loopback, usually). A family that this machine does
 * not have is left out as long as one listens. Port 0 picks one that is free on all. Throws SW_PORT_IN_USE.
 */
export async function listenOn(
  hosts: readonly string[],
  port: number,
  handler: Handler,
  log: Logger,
  tls: TlsKeys | null = null,
): Promise<Listeners> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listenOnce(hosts, port, handler, { log, tls })
    } catch (error) {
      // A port that was free on the first host may be taken on the second: pick another one.
      if (port === 0 && attempt < 10 && (error as { ref?: string }).ref === 'SW_PORT_IN_USE') continue
      throw error
    }
  }
}

const overUnixSockets = new WeakSet<Socket>()

/** Whether a request came over a Unix socket, which no page of a browser can reach. */
export function isOverUnixSocket(request: IncomingMessage): boolean {
  return overUnixSockets.has(request.socket)
}

/** The longest path a socket can have, in bytes, on every system we know. */
const LONGEST_PATH = 103

/**
 * Listens on a Unix socket that only its owner may use. One that a dead process left is replaced; throws SW_PORT_IN_USE when
 * a process answers on it, SW_CONFIG_INVALID for a path that is too long or is something else.
 */
export async function listenOnSocket(path: string, handler: Handler): Promise<Pick<Listeners, 'close'>> {
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw fail('SW_CONFIG_INVALID', `a socket has a path of at most ${LONGEST_PATH} bytes: ${path}`)
  await removeStaleSocket(path)
  const answering = new Answering(handler)
  const server = newServer(answering)
  server.on('connection', (socket) => overUnixSockets.add(socket))
  // Nobody else may connect between its making and a change of its mode.
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(fail('SW_PORT_IN_USE', `${path} cannot be opened: ${error.message}`, { cause: error })),
      )
      server.listen({ path }, () => {
        server.removeAllListeners('error')
        resolve()
      })
    })
  } finally {
    process.umask(mask)
  }
  return {
    async close(graceMs) {
      answering.keepNothing()
      await closeServer(server, graceMs)
    },
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found === null) return
  if (!found.isSocket()) throw fail('SW_CONFIG_INVALID', `${path} is there and is no socket`)
  if (await answers(path)) throw fail('SW_PORT_IN_USE', `another process listens on ${path}`)
  await rm(path, { force: true })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    const end = (alive: boolean) => () => {
      probe.destroy()
      resolve(alive)
    }
    probe.once('connect', end(true)).once('error', end(false))
  })
}

function newServer(answering: Answering, tls: TlsKeys | null = null): Server {
  const times = { keepAliveTimeout: 65_000, headersTimeout: 30_000, requestTimeout: 60_000 }
  const handle: Handler = (request, response) => answering.handle(request, response)
  if (tls === null) return createServer(times, handle)
  return createTlsServer({ ...times, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, handle)
}

async function listenOnce(
  hosts: readonly string[],
  wanted: number,
  handler: Handler,
  { log, tls }: { readonly log: Logger; readonly tls: TlsKeys | null },
): Promise<Listeners> {
  const servers: Server[] = []
  const urls: string[] = []
  const answering = new Answering(handler)
  let port = wanted
  try {
    for (const host of hosts) {
      const server = newServer(answering, tls)
      try {
        await bind(server, host, port)
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw error
        log.warn({ host, port }, 'this machine has no such address; listening on the others')
        continue
      }
      servers.push(server)
      port = (server.address() as AddressInfo).port
      urls.push(`${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`)
    }
  } catch (error) {
    await Promise.all(servers.map((server) => closeServer(server, 0)))
    throw error
  }
  if (servers.length === 0)
    throw fail('SW_CONFIG_INVALID', `none of the addresses ${hosts.join(', ')} exists on this machine`)
  return {
    port,
    urls,
    async close(graceMs) {
      answering.keepNothing()
      await Promise.all(servers.map((server) => closeServer(server, graceMs)))
    },
  }
}

/** Responses under way. Once the server closes, each one's connection ends with it: a client that keeps its connection would hold up the stop. */
class Answering {
  readonly #handler: Handler
  readonly #open = new Set<ServerResponse>()
  #closing = false

  constructor(handler: Handler) {
    this.#handler = handler
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#open.add(response)
    response.once('close', () => this.#open.delete(response))
    if (this.#closing) response.shouldKeepAlive = false
    this.#handler(request, response)
  }

  keepNothing(): void {
    this.#closing = true
    for (const response of this.#open) response.shouldKeepAlive = false
  }
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(fail('SW_PORT_IN_USE', `port ${port} on ${host} is in use`, { cause: error }))
      else if (error.code === 'EACCES')
        reject(fail('SW_PORT_IN_USE', `port ${port} on ${host} may not be opened by this user`, { cause: error }))
      else reject(error)
    })
    server.listen({ host, port, ipv6Only: host.includes(':'), exclusive: true }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs)
    // Streams end while this waits, and leave their connections idle.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
    server.close(() => {
      clearTimeout(cut)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}
