import type { Readable } from 'node:stream'
import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import { type Exchange, type ExchangeRequest, exchange } from './exchange.ts'
import { splitLines } from './line-stream.ts'
import { type InputOf, type OperationName, type OutputOf, operationRequest, type Query } from './operation-request.ts'
import { refusalOf, unreachable } from './server-errors.ts'

export interface ApiClient {
  /** `http://127.0.0.1:8088`, without a slash at the end. */
  readonly server: string
  /** One operation of the API. Throws the server's own error, or SW_SERVER_UNREACHABLE. */
  call<K extends OperationName>(operation: K, input: InputOf<K>): Promise<OutputOf<K>>
  /** The same for an answer that is text: its lines as they come, until it ends or `signal` is aborted. */
  stream<K extends OperationName>(
    operation: K,
    input: InputOf<K>,
    signal: AbortSignal,
    headers?: Readonly<Record<string, string>>,
  ): AsyncIterable<string>
  /** The same for an answer that is a file. */
  download<K extends OperationName>(operation: K, input: InputOf<K>): Promise<AsyncIterable<Uint8Array>>
  /** The same with a body that is sent as it is read. */
  upload<K extends OperationName>(
    operation: K,
    input: InputOf<K>,
    content: Readable,
    contentType: string,
  ): Promise<OutputOf<K>>
  /** JSON of a path of `/kube`, which is no operation. */
  get<T>(path: string, query?: Query): Promise<T>
  /** Lines of such a path. */
  lines(path: string, query: Query, signal: AbortSignal): AsyncIterable<string>
}

export interface ApiOptions {
  readonly server: string
  readonly token: string | null
  /** The person behind an admin credential. */
  readonly user?: string | null
}

/** Speaks to the API of one server with one credential. */
export function createApiClient(options: ApiOptions): ApiClient {
  const { server } = options
  return {
    server,
    async call(operation, input) {
      const { method, path, query, body } = operationRequest(operation, input)
      const request: ExchangeRequest =
        body === undefined
          ? { method, headers: {} }
          : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      return jsonOf(await send(options, path, query, request), server)
    },
    stream(operation, input, signal, headers = {}) {
      const { path, query } = operationRequest(operation, input)
      return linesOf(options, path, query, { method: 'GET', headers, signal })
    },
    async download(operation, input) {
      const { path, query } = operationRequest(operation, input)
      return (await send(options, path, query, { method: 'GET', headers: { accept: '*/*' } })).chunks
    },
    async upload(operation, input, content, contentType) {
      const { method, path, query } = operationRequest(operation, input)
      const request = { method, body: content, headers: { 'content-type': contentType } }
      return jsonOf(await send(options, path, query, request), server)
    },
    get: async (path, query = {}) => jsonOf(await send(options, path, query, { method: 'GET', headers: {} }), server),
    lines: (path, query, signal) => linesOf(options, path, query, { method: 'GET', headers: {}, signal }),
  }
}

async function* linesOf(
  options: ApiOptions,
  path: string,
  query: Query,
  request: ExchangeRequest & { readonly signal: AbortSignal },
): AsyncGenerator<string> {
  try {
    yield* splitLines((await send(options, path, query, request)).chunks)
  } catch (error) {
    if (request.signal.aborted) return
    throw error instanceof StatewardError ? error : unreachable(options.server, error)
  }
}

async function send(options: ApiOptions, path: string, query: Query, request: ExchangeRequest): Promise<Exchange> {
  const url = new URL(options.server + path)
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(key, String(value))
  }
  const headers: Record<string, string> = { accept: 'application/json', ...request.headers }
  if (options.token !== null) headers['authorization'] = `Bearer ${options.token}`
  if (typeof options.user === 'string') headers['x-stateward-user'] = options.user
  let response: Exchange
  try {
    response = await exchange(url, { ...request, headers })
  } catch (error) {
    if (request.signal?.aborted === true) throw error
    throw unreachable(options.server, error)
  }
  if (response.status < 200 || response.status > 299) throw await refusalOf(response, options.server)
  return response
}

async function jsonOf<T>(response: Exchange, server: string): Promise<T> {
  let text: string
  try {
    text = await response.text()
  } catch (error) {
    throw unreachable(server, error)
  }
  if (text === '') return undefined as T
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw fail('SW_SERVER_UNREACHABLE', `${server} did not answer with JSON`, {
      cause,
      remedy: 'check that --server names a Stateward server',
    })
  }
}
