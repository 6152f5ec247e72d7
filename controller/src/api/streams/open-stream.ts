import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import '../http/request-context.ts'
import type { Exclusive, StreamSet } from './stream-set.ts'

/** A response that stays open. Whoever writes to it waits for room before the next chunk. */
export interface OpenStream {
  /** The socket takes nothing at this moment. */
  readonly isFull: boolean
  /** Aborted when the reader went away, was too slow, or the server stops. */
  readonly signal: AbortSignal
  /**
   * Sends a chunk and waits until the socket takes more. A reader that takes nothing for `slowMs` is cut off: memory stays
   * bounded by one chunk, and the reader comes back with the last id it saw. Resolves false once the stream is over.
   */
  write(chunk: string | Buffer): Promise<boolean>
  end(): void
}

/** Takes the response out of Fastify's hands, keeping the headers its hooks have set, and sends the head at once. */
export function openStream(
  reply: FastifyReply,
  options: {
    readonly headers: Readonly<Record<string, string>>
    readonly slowMs: number
    readonly set: StreamSet
    readonly principal: string
    readonly only?: Exclusive
    /** What a stream says when another one takes its place, before it ends. */
    readonly farewell?: string
  },
): OpenStream {
  const place = options.set.enter(options.principal, options.only)
  const controller = new AbortController()
  reply.hijack()
  reply.isStream = true
  const { raw } = reply
  const finish = (): void => {
    if (controller.signal.aborted) return
    controller.abort()
    place.leave()
  }
  raw.on('close', finish)
  raw.on('error', finish)
  raw.writeHead(200, { ...headersOf(reply), ...options.headers, 'x-accel-buffering': 'no' })
  raw.flushHeaders()
  const out = outletOf(raw)
  const end = (): void => {
    finish()
    raw.end()
  }
  place.onServerStop(end)
  place.onSuperseded(() => {
    if (options.farewell !== undefined && !controller.signal.aborted) out.write(options.farewell)
    end()
  })
  let draining: Promise<boolean> | null = null
  return {
    signal: controller.signal,
    get isFull() {
      return draining !== null
    },
    end,
    async write(chunk) {
      if (controller.signal.aborted) return false
      if (out.write(chunk)) return true
      draining ??= drainOf(out.drains, controller.signal, options.slowMs)
      const drained = await draining
      draining = null
      if (drained || controller.signal.aborted) return !controller.signal.aborted
      place.dropped()
      finish()
      raw.destroy()
      return false
    },
  }
}

const CHUNK_END = Buffer.from('\r\n')
const chunked = new WeakMap<Buffer, Buffer>()

/** A buffer as a chunk of HTTP, made once for however many responses send it. */
function chunkOf(bytes: Buffer): Buffer {
  let chunk = chunked.get(bytes)
  if (chunk === undefined) {
    chunk = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CHUNK_END])
    chunked.set(bytes, chunk)
  }
  return chunk
}

/**
 * Where a stream's bytes go. Buffers are what many streams send at once: with its head sent, they go to the socket as the
 * chunks they are, past what the response would do for each of them again.
 */
function outletOf(raw: ServerResponse): {
  write(chunk: string | Buffer): boolean
  readonly drains: NodeJS.EventEmitter
} {
  const { socket } = raw
  if (socket === null || !raw.chunkedEncoding) return { write: (chunk) => raw.write(chunk), drains: raw }
  return {
    write: (chunk) => socket.write(chunkOf(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
    drains: socket,
  }
}

function headersOf(reply: FastifyReply): Record<string, string | string[] | number> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).filter(
      (entry): entry is [string, string | string[] | number] => entry[1] !== undefined,
    ),
  )
}

/** True when the socket has room again, false when it had none for `ms` or the stream ended. */
function drainOf(drains: NodeJS.EventEmitter, signal: AbortSignal, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (room: boolean): void => {
      clearTimeout(timer)
      drains.removeListener('drain', onDrain)
      signal.removeEventListener('abort', onAbort)
      resolve(room)
    }
    const onDrain = (): void => done(true)
    const onAbort = (): void => done(false)
    const timer = setTimeout(() => done(false), ms)
    drains.once('drain', onDrain)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
