import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { deadDeliveries } from '../../../store/queries/deliveries.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf, Reference } from '../schemas.ts'
import { MessageParams } from './ack-message.ts'
import { namespaceFor } from './mailbox.ts'
import { DeadMessage, deliveryDto, Message, messageDto, sampleDelivery, sampleMessage } from './message-dto.ts'

export const listDeadMessages = route({
  operation: 'listDeadMessages',
  method: 'GET',
  path: '/api/v1/messages/dead-letters',
  aliases: ['/messages/dead-letters'],
  tag: 'messages',
  access: 'messages.read',
  summary: 'List messages that were given up',
  description:
    'Deliveries that were handed out ten times in vain, or whose message was over before anybody acknowledged it; the newest first. An agent sees its own.',
  query: only({ agent: Type.Optional(Reference), ...NamespaceQuery, ...PageQuery }),
  answers: { 200: pageOf(DeadMessage) },
  example: {
    query: { agent: 'sre' },
    answer: samplePage({
      message: sampleMessage,
      delivery: { ...sampleDelivery, attempts: 10, dead_at: SAMPLE.later, dead_reason: 'unacknowledged' },
    }),
  },
  async answer({ query, principal, correlationId }, { store, services }) {
    const namespace = principal.type === 'agent' ? namespaceFor(principal, query.namespace) : (query.namespace ?? null)
    const asked =
      query.agent === undefined
        ? null
        : (services.messages.find(namespace ?? 'default', query.agent)?.name ?? query.agent)
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid', 'string'])
    const rows = await deadDeliveries(store.reader, {
      namespace,
      agent: principal.type === 'agent' ? principal.agent : asked,
      after: position === null ? null : { deadAt: position[0], messageId: position[1], agent: position[2] },
      limit: query.limit + 1,
    })
    return pageBody(
      rows,
      { limit: query.limit, correlationId },
      ({ dead_at, message_id, agent }) => [dead_at, message_id, agent],
      (row) => ({ message: messageDto(row), delivery: deliveryDto(row) }),
    )
  },
})

export const redeliverMessage = route({
  operation: 'redeliverMessage',
  method: 'POST',
  path: '/api/v1/messages/{message}/redeliver',
  aliases: ['/messages/{message}/redeliver'],
  tag: 'messages',
  access: 'messages.send',
  summary: 'Hand out again a message that was given up',
  description:
    'To every agent for which it was given up, or to one. Its attempts count from the beginning, and it does not end.',
  params: MessageParams,
  query: only({ agent: Type.Optional(Reference) }),
  answers: {
    200: Type.Object(
      { message: Message, agents: Type.Array(Type.String()), correlation_id: Type.String() },
      { title: 'MessageRedelivery' },
    ),
  },
  example: {
    params: { message: SAMPLE.message },
    answer: { message: sampleMessage, agents: ['sre'], correlation_id: SAMPLE.correlation },
  },
  async answer({ params, query, principal, caller, correlationId }, { services }) {
    if (principal.type === 'agent') throw fail('SW_FORBIDDEN', 'an agent cannot have messages handed out again')
    const { message, agents } = await services.messages.redeliver(params.message, query.agent ?? null, caller)
    return { message: messageDto(message), agents: [...agents], correlation_id: correlationId }
  },
})
