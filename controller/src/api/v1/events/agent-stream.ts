import Type from 'typebox'
import { sentEventFor } from '../../../bus/message-events.ts'
import type { DeliveredMessage } from '../../../store/queries/deliveries.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import type { MessageVerbs } from '../../ports/messages.ts'
import { type Beginning, beginningOf, lastEventId, sendEventStream } from '../../streams/event-stream.ts'
import { logFrame, namedFrame } from '../../streams/log-frames.ts'
import type { TailEvent } from '../../streams/log-tail.ts'
import type { OpenStream } from '../../streams/open-stream.ts'
import { mailboxOf } from '../messages/mailbox.ts'
import { deliveredDto } from '../messages/message-dto.ts'
import { media, NamespaceQuery, only, Reference } from '../schemas.ts'

const BACKLOG_PAGE = 100

/** Whose channel it is. */
interface Owner {
  readonly namespace: string
  readonly agent: string
  readonly uid: string | null
  readonly instanceId: string | null
  /** The agent itself gets its messages; whoever else looks sees that they were sent. */
  readonly isItself: boolean
}

export const streamAgentEvents = route({
  operation: 'streamAgentEvents',
  method: 'GET',
  path: '/events/{agent}',
  tag: 'streams',
  access: 'messages.read',
  isCounted: false,
  summary: 'Stream what concerns an agent',
  description:
    'Server-sent events: tasks, messages and interventions of one agent, by its name, `agentId` or uid. First, named `intervention`, the interventions it has not acknowledged; then the messages it has not acknowledged (without an id: they may come again); then what happened since `Last-Event-ID` or `?cursor=`, and what happens from now on. An event of a message carries it as `message`; its `event_id` is that of the message, also when it comes by polling. Messages that stay unacknowledged come again every minute. An instance has one connection: a newer one takes the place of the older, which is told with a message named `superseded` and must not come back; one that gave `?connection=` and does gets 204. Somebody else than the agent sees what concerns it and takes nothing away.',
  params: Type.Object({ agent: Reference }),
  query: only({
    cursor: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'send what came after this number; without it, only what comes from now on',
      }),
    ),
    connection: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: '^[A-Za-z0-9._-]+$',
        description: 'a name of its own for this connection',
      }),
    ),
    ...NamespaceQuery,
  }),
  answers: {
    200: media('text/event-stream', 'one message an event, until either side ends it'),
    204: Type.Null(),
  },
  example: {
    params: { agent: 'sre' },
    query: { cursor: 4710 },
    answer:
      'id: 4712\ndata: {"event_id":"…","event_name":"stateward.message.sent","seq":4712,"message":{"body":"…","attempt":1}}\n\n',
  },
  async stream(reply, { params, query, headers, principal, correlationId }, context) {
    const asked = lastEventId(headers['last-event-id']) ?? query.cursor ?? null
    const { connection = null, ...scope } = query
    const mailbox = await mailboxOf(context, principal, { agent: params.agent, ...scope })
    const isItself = principal.type === 'agent'
    const owner: Owner = {
      ...mailbox,
      uid: isItself ? principal.agentUid : null,
      instanceId: isItself ? principal.instanceId : null,
      isItself,
    }
    const exclusive = isItself ? { key: `${principal.instanceId} agent`, connection } : undefined
    if (exclusive !== undefined && context.eventStreams.wasSuperseded(exclusive)) return reply.code(204).send()
    const begin = await beginningOf(context, asked)
    // Messages up to here are handed out first, and not again by the replay.
    const upto = begin.isAsked ? await context.tail.newest() : begin.cursor
    const send = (stream: OpenStream): Promise<void> => sendAgentEvents(context, stream, owner, { begin, upto })
    return sendEventStream(reply, { principal, correlationId }, context, send, exclusive)
  },
})

async function sendAgentEvents(
  context: ApiContext,
  stream: OpenStream,
  owner: Owner,
  { begin, upto }: { readonly begin: Beginning; readonly upto: number },
): Promise<void> {
  if (!(await stream.write(begin.opening)) || !(await sendWaiting(context, stream, owner, upto))) return
  const again = setInterval(() => void sendAgain(context, stream, owner), context.timing.redeliverMs)
  try {
    await sendLog(context, stream, owner, { from: begin.cursor, upto })
  } finally {
    clearInterval(again)
  }
}

/** What waits for the agent: interventions, then messages. False once the stream is over. */
async function sendWaiting(
  { services: { messages } }: ApiContext,
  stream: OpenStream,
  owner: Owner,
  upto: number,
): Promise<boolean> {
  if (!owner.isItself) return true
  const { agent } = owner
  const pending = await pendingFrames(messages, owner)
  if (pending !== '' && !(await stream.write(pending))) return false
  for (let after = 0; ; ) {
    const page = await messages.deliver(owner, { after, upto, limit: BACKLOG_PAGE })
    if (page.length > 0 && !(await stream.write(page.map((row) => messageFrame(row, agent)).join('')))) return false
    if (page.length < BACKLOG_PAGE) return true
    after = page.at(-1)!.seq
  }
}

/** What comes before messages, as it is told until it is answered. */
async function pendingFrames(messages: MessageVerbs, { namespace, agent, instanceId }: Owner): Promise<string> {
  const pending = await messages.pendingFor({ namespace, name: agent, instanceId })
  return pending.map(({ event, data }) => namedFrame(event, data)).join('')
}

/** Messages that were handed out before and never acknowledged. */
async function sendAgain({ services, log }: ApiContext, stream: OpenStream, owner: Owner): Promise<void> {
  if (!owner.isItself || stream.signal.aborted) return
  try {
    const page = await services.messages.deliver(owner, { after: 0, overOnly: true, limit: BACKLOG_PAGE })
    if (page.length > 0) await stream.write(page.map((row) => messageFrame(row, owner.agent)).join(''))
  } catch (error) {
    log.warn({ err: error, agent: owner.agent }, 'messages could not be handed out again; trying later')
  }
}

async function sendLog(
  context: ApiContext,
  stream: OpenStream,
  owner: Owner,
  { from, upto }: { readonly from: number; readonly upto: number },
): Promise<void> {
  let cursor = from
  while (!stream.signal.aborted) {
    const events = await context.tail.next(cursor, stream.signal)
    if (events.length === 0) return
    cursor = events.at(-1)!.event.seq
    const concerned = events.filter((event) => concerns(event, owner))
    if (concerned.length === 0) continue
    const frames = owner.isItself
      ? await withMessages(context, concerned, owner, upto)
      : concerned.map((event) => logFrame(event))
    if (frames.length > 0 && !(await stream.write(frames.join('')))) return
  }
}

/** The frames of events, those of messages with what they say. A message that is acknowledged by now is left out. */
async function withMessages(
  { services }: ApiContext,
  events: readonly TailEvent[],
  owner: Owner,
  upto: number,
): Promise<string[]> {
  const isHandedOut = ({ event }: TailEvent): boolean =>
    event.event_name === 'stateward.message.redelivered' ||
    (event.event_name === 'stateward.message.sent' && event.seq > upto)
  const ids = events.filter(isHandedOut).map(({ event }) => event.resource!.id)
  const delivered =
    ids.length === 0 ? [] : await services.messages.deliver(owner, { after: 0, messages: ids, limit: ids.length })
  const rows = new Map(delivered.map((row) => [row.message_id, row]))
  const pending = events.some(isIntervention) ? [await pendingFrames(services.messages, owner)] : []
  const frames = events.flatMap((tailEvent) => {
    const { event } = tailEvent
    const row = isHandedOut(tailEvent) ? rows.get(event.resource!.id) : undefined
    if (event.event_name === 'stateward.message.sent')
      return row === undefined ? [] : [messageFrame(row, owner.agent, event.seq)]
    return row === undefined ? [logFrame(tailEvent)] : [logFrame(tailEvent), messageFrame(row, owner.agent)]
  })
  return [...pending, ...frames]
}

function isIntervention({ event }: TailEvent): boolean {
  return ['stateward.intervention.issued', 'stateward.intervention.requeued'].includes(event.event_name)
}

/** The event of a message with the message in it; without a number when it is out of the log's order. */
function messageFrame(row: DeliveredMessage, agent: string, seq: number | null = null): string {
  const json = JSON.stringify({ ...sentEventFor(row, agent), message: deliveredDto(row) })
  return seq === null ? `data: ${json}\n\n` : `id: ${seq}\ndata: ${json}\n\n`
}

function concerns({ event }: TailEvent, owner: Owner): boolean {
  const { data, resource } = event
  if (event.event_name === 'stateward.bus.restarted') return true
  if (resource?.type === 'Agent' && resource.id === owner.uid) return true
  if (data['namespace'] !== owner.namespace) return false
  const { agent, agents } = data
  return agent === owner.agent || (Array.isArray(agents) && agents.includes(owner.agent))
}
