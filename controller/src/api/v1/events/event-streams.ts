import Type from 'typebox'
import { globMatches } from '../../../lib/glob.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { type Beginning, beginningOf, lastEventId, sendEventStream } from '../../streams/event-stream.ts'
import { logFrame, pageFrames } from '../../streams/log-frames.ts'
import type { TailEvent } from '../../streams/log-tail.ts'
import type { OpenStream } from '../../streams/open-stream.ts'
import { EventNameGlob, media, only, Uuid } from '../schemas.ts'

const StreamQuery = only({
  cursor: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'send what came after this number; without it, only what comes from now on',
    }),
  ),
  event_name: Type.Optional(EventNameGlob),
  run_id: Type.Optional(Uuid),
})

/** `founder` is another word for the operator. */
export const streamOperatorEvents = channel('streamOperatorEvents', '/events/operator', ['/events/founder'])
export const streamUiEvents = channel('streamUiEvents', '/events/ui', [])

/**
 * Server-sent events from the log. `id` is the event's number, so a reader that comes back with `Last-Event-ID` (which wins
 * over `?cursor=`) misses nothing and sees nothing twice. Log events are unnamed messages (EventSource's `onmessage`), what
 * the stream says about itself is named: `cursor.reset` when the cursor asked for does not exist.
 */
function channel(operation: string, path: `/${string}`, aliases: readonly `/${string}`[]) {
  return route({
    operation,
    method: 'GET',
    path,
    aliases,
    tag: 'streams',
    access: 'read',
    isCounted: false,
    summary: `Stream events${path === '/events/ui' ? ' for a page' : ''}`,
    description:
      'Server-sent events: the whole log, or what matches. `id` is the number of the event; come back with `Last-Event-ID` (or `?cursor=`) and nothing is missed. `:keepalive` every 30 seconds. A message named `cursor.reset` says that the cursor asked for does not exist, one named `bus.restarted` that the server was started again. A reader that takes nothing for ten seconds is cut off; it comes back with its last id.',
    query: StreamQuery,
    answers: { 200: media('text/event-stream', 'one message an event, until either side ends it') },
    example: {
      query: { cursor: 4710, event_name: 'checkmk.*' },
      answer: 'id: 4711\ndata: {"event_id":"…","event_name":"checkmk.alert","seq":4711}\n\n',
    },
    async stream(reply, { query, headers, principal, correlationId }, context) {
      const asked = lastEventId(headers['last-event-id']) ?? query.cursor ?? null
      const matches = matcher(query.event_name ?? null, query.run_id ?? null)
      const begin = await beginningOf(context, asked)
      return sendEventStream(reply, { principal, correlationId }, context, (stream) =>
        sendEvents(context, stream, begin, matches),
      )
    },
  })
}

async function sendEvents(
  context: ApiContext,
  stream: OpenStream,
  begin: Beginning,
  matches: ((event: TailEvent) => boolean) | null,
): Promise<void> {
  let { cursor } = begin
  await stream.write(begin.opening)
  while (!stream.signal.aborted) {
    const events = await context.tail.next(cursor, stream.signal)
    if (events.length === 0) return
    cursor = events.at(-1)!.event.seq
    const frames = matches === null ? pageFrames(events) : events.filter(matches).map(logFrame).join('')
    if (frames.length > 0 && !(await stream.write(frames))) return
  }
}

/** Null: everything. */
function matcher(name: string | null, runId: string | null): ((event: TailEvent) => boolean) | null {
  if (name === null && runId === null) return null
  return ({ event }) =>
    (name === null || globMatches(name, event.event_name)) && (runId === null || event.run_id === runId)
}
