import type { FastifyReply } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import type { ApiContext } from '../context.ts'
import type { Call } from '../http/route.ts'
import { namedFrame } from './log-frames.ts'
import { type OpenStream, openStream } from './open-stream.ts'
import type { Exclusive } from './stream-set.ts'

const SUPERSEDED = namedFrame('superseded', { reason: 'a newer connection has opened this channel' })

/**
 * Server-sent events: opens the stream, keeps a silent one alive, and ends it when `send` has come to its end. A failure of
 * `send` is logged, since the answer has begun and can say nothing any more; the reader comes back by itself.
 */
export async function sendEventStream(
  reply: FastifyReply,
  { principal, correlationId }: Pick<Call<unknown, unknown, unknown>, 'principal' | 'correlationId'>,
  context: ApiContext,
  send: (stream: OpenStream) => Promise<void>,
  only?: Exclusive,
): Promise<FastifyReply> {
  if (!context.streamsOpen()) throw fail('SW_NOT_READY', 'streams are opened in a moment')
  const stream = openStream(reply, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
    slowMs: context.timing.slowReaderMs,
    set: context.eventStreams,
    principal: principal.name,
    ...(only === undefined ? {} : { only, farewell: SUPERSEDED }),
  })
  const keepalive = setInterval(() => {
    // A socket that takes nothing is not silent, it is full.
    if (!stream.isFull) void stream.write(':keepalive\n\n')
  }, context.timing.keepaliveMs)
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

/** Where a stream begins, and what it says first. */
export interface Beginning {
  readonly cursor: number
  readonly opening: string
  /** It was asked to begin where it does. */
  readonly isAsked: boolean
}

/**
 * Behind the number asked for, or at the head of the log; a number that does not exist is told. Ask before the stream is
 * opened: what happens once the reader sees it open is sent.
 */
export async function beginningOf({ tail }: ApiContext, asked: number | null): Promise<Beginning> {
  const known = asked !== null && (await tail.reaches(asked))
  const cursor = known ? asked : await tail.newest()
  const reset = asked !== null && !known ? namedFrame('cursor.reset', { cursor }) : ''
  // The id at once: whoever reconnects before the first event comes back to this place.
  return { cursor, opening: `retry: 1000\nid: ${cursor}\n\n${reset}`, isAsked: known }
}

/** The number a reader that comes back has seen last; null = it did not say. Throws SW_BAD_REQUEST. */
export function lastEventId(header: string | string[] | undefined): number | null {
  if (header === undefined || header === '') return null
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
    throw fail('SW_BAD_REQUEST', 'Last-Event-ID is not a number of the log')
  return Number(header)
}
