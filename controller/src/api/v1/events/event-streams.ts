import Type from 'typebox'
import { globMatches } from '../../../lib/glob.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { type Beginning, beginningOf, lastEventId, sendEventStream } from '../../streams/event-stream.ts'
import { type PageFilter, pageFrames } from '../../streams/log-frames.ts'
import type { OpenStream } from '../../streams/open-stream.ts'
import { EventNameGlob, media, only, Uuid } from '../schemas.ts'
import { isForOperators } from './channels.ts'

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

const ANSWERS = { 200: media('text/event-stream', 'one message an event, until either side ends it') }
const COMMON =
  '`id` is the number of the event; come back with `Last-Event-ID` (or `?cursor=`) and nothing is missed. `:keepalive` every 30 seconds. A message named `cursor.reset` says that the cursor asked for does not exist, one named `bus.restarted` that the server was started again. A reader that takes nothing for ten seconds is cut off; it comes back with its last id.'

/** `founder` is another word for the operator. */
export const streamOperatorEvents = route({
  operation: 'streamOperatorEvents',
  method: 'GET',
  path: '/events/operator',
  aliases: ['/events/founder'],
  tag: 'streams',
  access: 'read',
  isCounted: false,
  summary: 'Stream what people have to look at',
  description: `Server-sent events of the log: alerts; what waits for a decision and how it was decided (gates, proposals, approvals, objects that are blocked); escalations and human decisions of the work graph; interventions, breakers and budgets; dead letters and quarantined steps. Everything else is on \`/events/ui\`. ${COMMON}`,
  query: StreamQuery,
  answers: ANSWERS,
  example: {
    query: { cursor: 4710 },
    answer: 'id: 4711\ndata: {"event_id":"…","event_name":"stateward.alert.raised","seq":4711}\n\n',
  },
  async stream(reply, { query, headers, principal, correlationId }, context) {
    const begin = await beginningOf(context, lastEventId(headers['last-event-id']) ?? query.cursor ?? null)
    const filter = filterOf(query.event_name ?? null, query.run_id ?? null, operators)
    return sendEventStream(reply, { principal, correlationId }, context, (stream) =>
      sendEvents(context, stream, begin, filter),
    )
  },
})

export const streamUiEvents = route({
  operation: 'streamUiEvents',
  method: 'GET',
  path: '/events/ui',
  tag: 'streams',
  access: 'read',
  isCounted: false,
  summary: 'Stream everything, for a page',
  description: `Server-sent events: the whole log, or what matches. ${COMMON} Without \`event_name\` and \`run_id\`, messages named \`metrics\` come between, without a number: \`{"hosts": […], "agents": […], "gone": […]}\`, first everything and then every five seconds what has changed of what hosts and agents use.`,
  query: StreamQuery,
  answers: ANSWERS,
  example: {
    query: { cursor: 4710, event_name: 'checkmk.*' },
    answer: 'id: 4711\ndata: {"event_id":"…","event_name":"checkmk.alert","seq":4711}\n\n',
  },
  async stream(reply, { query, headers, principal, correlationId }, context) {
    const begin = await beginningOf(context, lastEventId(headers['last-event-id']) ?? query.cursor ?? null)
    const filter = filterOf(query.event_name ?? null, query.run_id ?? null, null)
    return sendEventStream(reply, { principal, correlationId }, context, (stream) =>
      filter === null ? sendWithMetrics(context, stream, begin) : sendEvents(context, stream, begin, filter),
    )
  },
})

const operators: PageFilter = ({ event }) => isForOperators(event)

/** Whoever asks for nothing of his own shares the filter of the channel, and with it what is sent. */
function filterOf(name: string | null, runId: string | null, channel: PageFilter): PageFilter {
  if (name === null && runId === null) return channel
  return (tailEvent) =>
    (name === null || globMatches(name, tailEvent.event.event_name)) &&
    (runId === null || tailEvent.event.run_id === runId) &&
    (channel === null || channel(tailEvent))
}

async function sendEvents(
  context: ApiContext,
  stream: OpenStream,
  begin: Beginning,
  filter: PageFilter,
): Promise<void> {
  let { cursor } = begin
  await stream.write(begin.opening)
  while (!stream.signal.aborted) {
    const events = await context.tail.next(cursor, stream.signal)
    if (events.length === 0) return
    cursor = events.at(-1)!.event.seq
    const frames = pageFrames(events, filter)
    if (frames.length > 0 && !(await stream.write(frames))) return
  }
}

async function sendWithMetrics(context: ApiContext, stream: OpenStream, begin: Beginning): Promise<void> {
  const unsubscribe = context.metricsFeed.subscribe((frame) => {
    // Whoever is behind with events gets the next ones.
    if (!stream.isFull) void stream.write(frame)
  })
  try {
    await sendEvents(context, stream, begin, null)
  } finally {
    unsubscribe()
  }
}
