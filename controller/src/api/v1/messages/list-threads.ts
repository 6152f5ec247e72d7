import Type, { type Static } from 'typebox'
import { MOST_SPEAKERS, pageThreads, type ThreadRow } from '../../../store/queries/message-threads.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { NamespaceQuery, Nullable, only, PageQuery, pageOf, Reference, Time, Uuid } from '../schemas.ts'
import { namespaceFor } from './mailbox.ts'
import { Message, messageDto, sampleMessage, Word } from './message-dto.ts'

const Thread = Type.Object(
  {
    thread_id: Uuid,
    namespace: Type.String(),
    subject: Nullable(Type.String({ description: 'of its first message' })),
    opened_at: Time,
    messages: Type.Integer({ description: 'how many there are' }),
    speakers: Type.Array(Type.String(), { description: `who said something in it, at most ${MOST_SPEAKERS}` }),
    last: Message,
  },
  { title: 'MessageThread' },
)

const sampleThread: Static<typeof Thread> = {
  thread_id: SAMPLE.message,
  namespace: 'default',
  subject: 'nginx on web-1',
  opened_at: SAMPLE.time,
  messages: 1,
  speakers: ['user:ada'],
  last: sampleMessage,
}

export const listThreads = route({
  operation: 'listMessageThreads',
  method: 'GET',
  path: '/api/v1/messages/threads',
  tag: 'messages',
  access: 'messages.read',
  summary: 'List threads of messages, the one that was spoken in last first',
  description:
    'Those with a message that has all the words of `q`, was about a topic, or was sent by or to an agent; without them, all. An agent sees the threads it takes part in.',
  query: only({
    q: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
    agent: Type.Optional(Reference),
    topic: Type.Optional(Word),
    ...NamespaceQuery,
    ...PageQuery,
  }),
  answers: { 200: pageOf(Thread) },
  example: { query: { q: 'nginx' }, answer: samplePage(sampleThread) },
  async answer({ query, principal, correlationId }, { store, services }) {
    const namespace = namespaceFor(principal, query.namespace)
    const asked = principal.type === 'agent' ? principal.agent : query.agent
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
    const rows = await pageThreads(store.reader, {
      namespace,
      words: query.q ?? null,
      topic: query.topic ?? null,
      // One that is not declared any more may have left messages.
      agent: asked === undefined ? null : (services.messages.find(namespace, asked) ?? { namespace, name: asked }),
      before,
      limit: query.limit + 1,
    })
    return pageBody(rows, { limit: query.limit, correlationId }, ({ seq }) => [seq], threadDto)
  },
})

function threadDto(row: ThreadRow): Static<typeof Thread> {
  return {
    thread_id: row.thread_id,
    namespace: row.namespace,
    subject: row.opened_with,
    opened_at: row.opened_at.toISOString(),
    messages: row.message_count,
    speakers: [...row.speakers],
    last: messageDto(row),
  }
}
