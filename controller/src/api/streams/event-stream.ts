import type { FastifyReply } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import type { ApiContext } from '../context.ts'
import type { Call } from '../http/route.ts'
import { type OpenStream, openStream } from './open-stream.ts'

/**
 * Server-sent events: opens the stream, keeps a silent one alive, and ends it when `send` has come to its end. A failure of
 * `send` is logged, since the answer has begun and can say nothing any more; the reader comes back by itself.
 */
export async function sendEventStream(
  reply: FastifyReply,
  { principal, correlationId }: Pick<Call<unknown, unknown, unknown>, 'principal' | 'correlationId'>,
  context: ApiContext,
  send: (stream: OpenStream) => Promise<void>,
): Promise<FastifyReply> {
  const stream = openStream(reply, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
    slowMs: context.timing.slowReaderMs,
    set: context.eventStreams,
    principal: principal.name,
  })
  const keepalive = setInterval(() => void stream.write(':keepalive\n\n'), context.timing.keepaliveMs)
  try {
    await send(stream)
  } catch (error) {
    context.log.error({ err: error, correlation_id: correlationId }, 'an event stream failed')
  } finally {
    clearInterval(keepalive)
  }
  stream.end()
  return reply
}

/** The number a reader that comes back has seen last; null = it did not say. Throws SW_BAD_REQUEST. */
export function lastEventId(header: string | string[] | undefined): number | null {
  if (header === undefined || header === '') return null
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
    throw fail('SW_BAD_REQUEST', 'Last-Event-ID is not a number of the log')
  return Number(header)
}
