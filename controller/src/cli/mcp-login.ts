import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import type { OutputOf } from './client/operation-request.ts'
import { openInBrowser } from './open-browser.ts'
import { givenNamespace, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { ExitCode, VerbCall } from './verb.ts'

const PATH = '/callback'
const PAGE = '<!doctype html><meta charset="utf-8"><title>Stateward</title><p>You may close this page.</p>\n'

/** `stateward mcp login <server>`: sends the person to the authorization server, and waits for what comes back. */
export async function loginToMcpServer(call: VerbCall, server: string): Promise<ExitCode> {
  const { options, terminal } = call
  const given = textOption(options, 'finish')
  if (given !== undefined) return finish(call, server, queryOf(given))
  const waiting = await listen(portOf(options['port']))
  try {
    const scopes = (options['scope'] as readonly string[] | undefined) ?? []
    const client = await call.client()
    const begun = await client.call('beginMcpLogin', {
      ...named(call, server),
      body: {
        redirect_uri: waiting.address,
        ...(scopes.length === 0 ? {} : { scopes: scopes.flatMap((text) => text.split(/\s+/).filter(Boolean)) }),
      },
    })
    await terminal.err(`sign in at:\n${begun.authorization_url}\n`)
    await terminal.err(`where that is another machine: ${hint(server)}\n`)
    if (options['open'] !== false && terminal.columns !== null)
      await openInBrowser(begun.authorization_url, terminal.env)
    const query = await waiting.answered(terminal.untilInterrupted())
    return query === null ? 130 : await finish(call, server, query)
  } finally {
    await waiting.close()
  }
}

const hint = (server: string): string =>
  `stateward mcp login ${server} --finish '<the address your browser was sent back to>'`

function named(call: VerbCall, server: string) {
  const namespace = givenNamespace(call.options)
  return { server, ...(namespace === null ? {} : { namespace }) }
}

async function finish(call: VerbCall, server: string, callback: string): Promise<ExitCode> {
  const client = await call.client()
  const done: OutputOf<'finishMcpLogin'> = await client.call('finishMcpLogin', {
    ...named(call, server),
    body: { callback },
  })
  if (call.options['output'] === 'json') {
    await call.terminal.out(renderJson(done))
    return 0
  }
  const scopes = done.scopes.length === 0 ? '' : ` for ${done.scopes.join(' ')}`
  await call.terminal.out(`signed in to ${server} at ${done.issuer}${scopes}\nkept as secret ${done.secret}\n`)
  return 0
}

function queryOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || url.search === '')
    throw fail('SW_USAGE', '--finish takes the whole address your browser was sent back to, with what stands behind ?')
  return url.search.slice(1)
}

function portOf(value: unknown): number {
  const port = value === undefined ? 0 : Number(value)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw fail('SW_USAGE', '--port takes a number up to 65535')
  return port
}

interface Waiting {
  /** Where the browser is sent back to. */
  readonly address: string
  /** The query it came with; null: interrupted. */
  answered(signal: AbortSignal): Promise<string | null>
  close(): Promise<void>
}

async function listen(port: number): Promise<Waiting> {
  const { promise, resolve } = Promise.withResolvers<string | null>()
  const server = createServer((request, response) => {
    const [path, query = ''] = (request.url ?? '').split(/\?(.*)/s)
    if (path !== PATH || query === '') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', connection: 'close' }).end(PAGE)
    resolve(query)
  })
  const at = await opened(server, port)
  return {
    address: `http://127.0.0.1:${at}${PATH}`,
    answered(signal) {
      signal.addEventListener('abort', () => resolve(null), { once: true })
      return promise
    },
    close: () => new Promise((done) => server.close(() => done())),
  }
}

function opened(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(hasCode(error, 'EADDRINUSE') ? fail('SW_PORT_IN_USE', `port ${port} is in use`) : error),
    )
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
