import type { Readable } from 'node:stream'
import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import { type Exchange, type ExchangeRequest, exchange } from './exchange.ts'
import { splitLines } from './line-stream.ts'
import { refusalOf, unreachable } from './server-errors.ts'

export interface ApiClient {
  /** `http://127.0.0.1:8088`, without a slash at the end. */
  readonly server: string
  /** JSON of a GET. Throws the server's own error, or SW_SERVER_UNREACHABLE. */
  get<T>(path: string, query?: Query): Promise<T>
  post<T>(path: string, body: unknown, query?: Query): Promise<T>
  /** Sends a body as it is read; its answer is JSON. */
  put<T>(path: string, content: Readable, contentType: string): Promise<T>
  /** The bytes of a response as they come. */
  bytes(path: string): Promise<AsyncIterable<Uint8Array>>
  /** Lines of a response as they come, until it ends or `signal` is aborted. */
  lines(
    path: string,
    query: Query,
    signal: AbortSignal,
    headers?: Readonly<Record<string, string>>,
  ): AsyncIterable<string>
}

/** What is null or undefined is left out. */
type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface ApiOptions {
  readonly server: string
  readonly token: string | null
  /** The person behind an admin credential. */
  readonly user?: string | null
}

/** Speaks to the API of one server with one credential. Paths are absolute: `/api/v1/runs`. */
export function createApiClient(options: ApiOptions): ApiClient {
  const { server } = options
  return {
    server,
    get: async (path, query = {}) => jsonOf(await send(options, path, query, { method: 'GET', headers: {} }), server),
    post: async (path, body, query = {}) => {
      const request = {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      } as const
      return jsonOf(await send(options, path, query, request), server)
    },
    put: async (path, content, contentType) => {
      const request = { method: 'PUT', body: content, headers: { 'content-type': contentType } } as const
      return jsonOf(await send(options, path, {}, request), server)
    },
    bytes: async (path) => (await send(options, path, {}, { method: 'GET', headers: { accept: '*/*' } })).chunks,
    async *lines(path, query, signal, headers = {}) {
      try {
        const response = await send(options, path, query, { method: 'GET', headers, signal })
        yield* splitLines(response.chunks)
      } catch (error) {
        if (signal.aborted) return
        throw error instanceof StatewardError ? error : unreachable(server, error)
      }
    },
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
