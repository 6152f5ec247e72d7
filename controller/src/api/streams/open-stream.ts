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
  const end = (): void => {
    finish()
    raw.end()
  }
  place.onServerStop(end)
  place.onSuperseded(() => {
    if (options.farewell !== undefined && !controller.signal.aborted) raw.write(options.farewell)
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
      if (raw.write(chunk)) return true
      draining ??= drainOf(raw, controller.signal, options.slowMs)
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

function headersOf(reply: FastifyReply): Record<string, string | string[] | number> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).filter(
      (entry): entry is [string, string | string[] | number] => entry[1] !== undefined,
    ),
  )
}

/** True when the socket has room again, false when it had none for `ms` or the stream ended. */
function drainOf(raw: NodeJS.WritableStream, signal: AbortSignal, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (room: boolean): void => {
      clearTimeout(timer)
      raw.removeListener('drain', onDrain)
      signal.removeEventListener('abort', onAbort)
      resolve(room)
    }
    const onDrain = (): void => done(true)
    const onAbort = (): void => done(false)
    const timer = setTimeout(() => done(false), ms)
    raw.once('drain', onDrain)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
