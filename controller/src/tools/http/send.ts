import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { checkHost, lookupWithin, type Reach } from '../net/reach.ts'

export interface Outgoing {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: string | null
}

/** Statuses whose answers have no body. */
const EMPTY = new Set([204, 205, 304])

/**
 * Sends one request to an address within the rules: the address that is checked is the one that is connected to, so that a
 * name cannot lead elsewhere in between. Follows no redirect. Rejects with SW_OUTBOUND_DENIED or what the network said.
 */
export async function sendWithin(
  reach: Reach,
  { url, method, headers, body }: Outgoing,
  signal: AbortSignal,
): Promise<Response> {
  checkHost(reach, url.hostname)
  const own = new Headers(headers)
  if (!own.has('accept')) own.set('accept', '*/*')
  if (!own.has('accept-encoding')) own.set('accept-encoding', 'gzip, deflate, br')
  if (body !== null) own.set('content-length', String(Buffer.byteLength(body)))
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const request = send(url, {
      method,
      headers: Object.fromEntries(own),
      lookup: lookupWithin(reach),
      signal,
      agent: false,
    })
    request.once('response', resolve).once('error', reject)
    request.end(body ?? undefined)
  })
  const status = message.statusCode ?? 0
  if (method === 'HEAD' || EMPTY.has(status)) {
    message.resume()
    return new Response(null, { status, headers: headersOf(message) })
  }
  return new Response(Readable.toWeb(decoded(message)) as ReadableStream<Uint8Array>, {
    status,
    headers: headersOf(message),
  })
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!)
  return headers
}

function decoded(message: IncomingMessage): Readable {
  const encoding = message.headers['content-encoding']?.toLowerCase()
  const decoder =
    encoding === 'gzip' || encoding === 'x-gzip'
      ? createGunzip()
      : encoding === 'deflate'
        ? createInflate()
        : encoding === 'br'
          ? createBrotliDecompress()
          : null
  if (decoder === null) return message
  // What goes wrong on the way, whoever reads the answer is told.
  pipeline(message, decoder).catch((error: unknown) => decoder.destroy(error as Error))
  return decoder
}
