import Type from 'typebox'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { Interventions } from '../agents/own-agent.ts'
import { SAMPLE } from '../samples.ts'
import { NamespaceQuery, Nullable, only, Reference } from '../schemas.ts'
import { mailboxOf } from './mailbox.ts'
import { DeliveredMessageDto, deliveredDto, sampleMessage } from './message-dto.ts'

export const pollMessages = route({
  operation: 'pollMessages',
  method: 'GET',
  path: '/api/v1/messages/poll',
  aliases: ['/messages/poll'],
  tag: 'messages',
  access: 'messages.read',
  summary: 'Read what is not acknowledged',
  description:
    'Interventions first, then messages, the oldest first: the same again until they are acknowledged. What was handed out ten times, a minute or more apart, and never acknowledged becomes a dead letter. `next_cursor` reads on behind this page; without it, from the beginning. An agent reads its own; anybody else says whose.',
  query: only({
    agent: Type.Optional(Reference),
    ...NamespaceQuery,
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'next_cursor of the page before' })),
  }),
  answers: {
    200: Type.Object(
      {
        interventions: Interventions,
        messages: Type.Array(DeliveredMessageDto),
        next_cursor: Nullable(Type.String()),
        correlation_id: Type.String(),
      },
      { title: 'MessagePoll' },
    ),
  },
  example: {
    query: { agent: 'sre', limit: 10 },
    answer: {
      interventions: [],
      messages: [{ ...sampleMessage, attempt: 1 }],
      next_cursor: null,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ principal, query, correlationId }, context) {
    const { services } = context
    const mailbox = await mailboxOf(context, principal, query)
    const after = query.cursor === undefined ? 0 : decodeCursor(query.cursor, ['number'])[0]
    const pending = await services.messages.pendingFor({
      namespace: mailbox.namespace,
      name: mailbox.agent,
      instanceId: principal.type === 'agent' ? principal.instanceId : null,
    })
    const messages = await services.messages.deliver(mailbox, { after, limit: query.limit })
    const last = messages.length === query.limit ? messages.at(-1) : undefined
    return {
      interventions: pending.filter(({ event }) => event === 'intervention').map(({ data }) => ({ ...data })),
      messages: messages.map(deliveredDto),
      next_cursor: last === undefined ? null : encodeCursor([last.seq]),
      correlation_id: correlationId,
    }
  },
})
