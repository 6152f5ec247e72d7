import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { searchMessages as search } from '../../../store/queries/messages.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf, Reference, Uuid } from '../schemas.ts'
import { namespaceFor } from './mailbox.ts'
import { Message, messageDto, sampleMessage, Word } from './message-dto.ts'

const Day = (description: string) =>
  Type.Optional(
    Type.String({
      maxLength: 40,
      pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+-]\\d{2}:\\d{2}))?$',
      description: `${description}: a day (UTC) or a time, as RFC 3339 writes them`,
    }),
  )

export const searchMessages = route({
  operation: 'searchMessages',
  method: 'GET',
  path: '/api/v1/messages',
  aliases: ['/api/v1/messages/search', '/messages/search', '/messages'],
  tag: 'messages',
  access: 'messages.read',
  summary: 'Search messages',
  description:
    'By words of subject and body (`q`: all of them, `"a phrase"`, `-without`, `this or that`), by agent, topic, thread and date; without `q`, all of them. An agent finds what it sent and what it was sent.',
  query: only({
    q: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
    agent: Type.Optional(Reference),
    topic: Type.Optional(Word),
    thread_id: Type.Optional(Uuid),
    from: Day('sent then or later'),
    to: Day('sent before'),
    order: Type.Enum(['desc', 'asc'], { default: 'desc', description: 'desc = the newest first' }),
    ...NamespaceQuery,
    ...PageQuery,
  }),
  answers: { 200: pageOf(Message) },
  example: { query: { q: 'nginx -test', agent: 'sre', from: '2026-03-28' }, answer: samplePage(sampleMessage) },
  async answer({ query, principal, correlationId }, { store, services }) {
    const namespace = namespaceFor(principal, query.namespace)
    const [cursor = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
    const rows = await search(store.reader, {
      namespace,
      words: query.q ?? null,
      // One that is not declared any more may have left messages.
      agent:
        query.agent === undefined
          ? null
          : (services.messages.find(namespace, query.agent) ?? { namespace, name: query.agent }),
      topic: query.topic ?? null,
      threadId: query.thread_id ?? null,
      from: timeOf('from', query.from),
      to: timeOf('to', query.to),
      visibleTo: principal.type === 'agent' ? { namespace, name: principal.agent } : null,
      order: query.order,
      cursor,
      limit: query.limit + 1,
    })
    return pageBody(rows, { limit: query.limit, correlationId }, ({ seq }) => [seq], messageDto)
  },
})

function timeOf(name: string, text: string | undefined): Date | null {
  if (text === undefined) return null
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) throw fail('SW_BAD_REQUEST', `${name} is no day and no time: ${text}`)
  return time
}
