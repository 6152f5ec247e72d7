import { type IncomingMessage, request as plainRequest } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Readable
  readonly signal?: AbortSignal
}

export interface Exchange {
  readonly status: number
  readonly statusText: string
  text(): Promise<string>
  /** Bytes as they come. */
  readonly chunks: AsyncIterable<Uint8Array>
}

/**
 * One HTTP request. Node's own client and not `fetch`: that one takes as long to load as a whole `get` may last. Rejects
 * with the socket's error; redirects are not followed.
 */
export async function exchange(url: URL, request: ExchangeRequest): Promise<Exchange> {
  const send = url.protocol === 'https:' ? (await import('node:https')).request : plainRequest
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method, headers, signal } = request
    // One call, one connection: nothing is kept open that would keep the process alive.
    const outgoing = send(url, { method, headers, agent: false, ...(signal === undefined ? {} : { signal }) }, resolve)
    outgoing.on('error', reject)
    if (request.body instanceof Readable) pipeline(request.body, outgoing).catch(reject)
    else outgoing.end(request.body)
  })
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? '',
    text: () => text(response),
    chunks: response as AsyncIterable<Uint8Array>,
  }
}
