import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { NamespaceQuery, only, Reference, Time, Uuid } from '../schemas.ts'
import { mailboxOf } from './mailbox.ts'

export const MessageParams = Type.Object({ message: Uuid })

export const ackMessage = route({
  operation: 'ackMessage',
  method: 'POST',
  path: '/api/v1/messages/{message}/ack',
  aliases: ['/messages/{message}/ack'],
  tag: 'messages',
  access: 'messages.read',
  summary: 'Acknowledge a message',
  description:
    'It is not handed out to this agent any more. Doing it again changes nothing. An agent acknowledges its own; anybody else says whose.',
  idempotency: false,
  params: MessageParams,
  query: only({ agent: Type.Optional(Reference), ...NamespaceQuery }),
  answers: {
    200: Type.Object(
      { message_id: Uuid, agent: Type.String(), acked_at: Time, correlation_id: Type.String() },
      { title: 'MessageAck' },
    ),
  },
  example: {
    params: { message: SAMPLE.message },
    answer: { message_id: SAMPLE.message, agent: 'sre', acked_at: SAMPLE.later, correlation_id: SAMPLE.correlation },
  },
  async answer({ principal, params, query, caller, correlationId }, context) {
    const mailbox = await mailboxOf(context, principal, query)
    const { message, ackedAt } = await context.services.messages.acknowledge(params.message, mailbox, caller)
    return {
      message_id: message.message_id,
      agent: mailbox.agent,
      acked_at: ackedAt.toISOString(),
      correlation_id: correlationId,
    }
  },
})
