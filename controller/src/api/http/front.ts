import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail } from '../../lib/error-catalogue.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { AuthMode } from '../auth/principal.ts'
import { errorBody } from './error-reply.ts'
import { correlationIdOf } from './hooks.ts'
import { type Listeners, listenOn, listenOnSocket, type TlsKeys } from './listeners.ts'
import { checkBinding } from './trusted-host.ts'

export interface FrontOptions {
  /** Default: the loopback. */
  readonly hosts?: readonly string[]
  /** 0 = any that is free. */
  readonly port: number
  /** A second port for streams, which keep their connections; 0 = any that is free. Default: none. */
  readonly streamsPort?: number | null
  /** A port over TLS besides; 0 = any that is free. `optional`: left out, with a warning, when it is taken. Default: none. */
  readonly tls?: { readonly port: number; readonly keys: TlsKeys; readonly optional: boolean } | null
  /** A Unix socket besides. Default: none. */
  readonly socket?: string | null
  readonly authMode: AuthMode
}

export interface Front {
  readonly port: number
  readonly urls: readonly string[]
  readonly streamsUrl: string | null
  readonly tlsUrl: string | null
  /** From now on this answers. */
  serve(handler: Handler): void
  /** Takes no more connections, waits for what is under way, and cuts off what is left after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** Both of its families. */
export const LOOPBACK: readonly string[] = ['127.0.0.1', '::1']

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Where a process listens, from its first moment on: until somebody serves, `/livez` is 200 and everything else 503, so that
 * whoever looks can tell a process that starts from one that is gone. Throws SW_PORT_IN_USE, and SW_CONFIG_INVALID for an
 * unsafe binding.
 */
export async function openFront(options: FrontOptions, log: Logger): Promise<Front> {
  const { hosts = LOOPBACK, streamsPort = null, tls = null, socket = null } = options
  checkBinding(hosts, options.authMode)
  let handler: Handler = answerStarting
  const dispatch: Handler = (request, response) => handler(request, response)
  const open: Pick<Listeners, 'close'>[] = []
  const close = async (graceMs: number): Promise<void> => {
    await Promise.all(open.splice(0).map((each) => each.close(graceMs)))
  }
  try {
    const main = await listenOn(hosts, options.port, dispatch, log)
    open.push(main)
    const streams = streamsPort === null ? null : await listenOn(hosts, streamsPort, dispatch, log)
    if (streams !== null) open.push(streams)
    const secure = tls === null ? null : await listenOverTls(hosts, tls, dispatch, log)
    if (secure !== null) open.push(secure)
    if (socket !== null) open.push(await listenOnSocket(socket, dispatch))
    return {
      port: main.port,
      urls: main.urls,
      streamsUrl: streams?.urls[0] ?? null,
      tlsUrl: secure?.urls[0] ?? null,
      serve(serving) {
        handler = serving
      },
      close,
    }
  } catch (error) {
    await close(0)
    throw error
  }
}

async function listenOverTls(
  hosts: readonly string[],
  { port, keys, optional }: NonNullable<FrontOptions['tls']>,
  handler: Handler,
  log: Logger,
): Promise<Listeners | null> {
  try {
    return await listenOn(hosts, port, handler, log, keys)
  } catch (error) {
    if (!optional || (error as { ref?: string }).ref !== 'SW_PORT_IN_USE') throw error
    log.warn({ port }, 'the port for TLS is taken: kubectl has to do without a credential (tlsPort names another one)')
    return null
  }
}

const PROBLEM = 'the process starts: its database is not there yet'

function answerStarting(request: IncomingMessage, response: ServerResponse): void {
  const [path] = (request.url ?? '/').split('?')
  const id = correlationIdOf(request.headers)
  const [status, body] =
    path === '/livez'
      ? [200, { status: 'ok', checks: [] }]
      : path === '/readyz'
        ? [503, { status: 'not ready', checks: [{ name: 'started', problem: PROBLEM }] }]
        : [503, errorBody(fail('SW_NOT_READY', PROBLEM), id)]
  // What was sent is not read: the connection ends with the answer.
  response.writeHead(status as number, {
    'content-type': 'application/json; charset=utf-8',
    'x-correlation-id': id,
    ...(status === 503 ? { 'retry-after': '1' } : {}),
    connection: 'close',
  })
  response.end(JSON.stringify(body))
}
