import Type, { type Static } from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import type { ReceiverKind } from '../../../store/intake.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, Nullable, only, Time, Uuid } from '../schemas.ts'
import { namespaceFor } from './mailbox.ts'
import { Message, messageDto, Receiver, sampleMessage, Word } from './message-dto.ts'

const MOST_ATTACHMENTS = 8

const SendMessageRequest = only(
  {
    to: Receiver,
    namespace: Type.Optional(Name),
    topic: Type.Optional(Nullable(Word)),
    thread_id: Type.Optional(Nullable(Uuid)),
    reply_to: Type.Optional(Nullable(Uuid)),
    type: Type.String({
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z][a-z0-9_.-]*$',
      default: 'note',
      description: 'what it is to its reader: note, request, answer, clarification …',
    }),
    subject: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 200 }))),
    body: Type.String({ maxLength: 20_000 }),
    data: Type.Optional(JsonMap),
    attachments: Type.Array(
      only({ artifact_id: Uuid, name: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 253 }))) }),
      { maxItems: MOST_ATTACHMENTS, default: [], description: 'artifacts that were stored before' },
    ),
    idempotency_key: Type.Optional(
      Nullable(
        Type.String({
          minLength: 1,
          maxLength: 255,
          description: 'the sender’s own: the same again sends nothing and is answered as the first time',
        }),
      ),
    ),
    expires_at: Type.Optional(Nullable(Time)),
  },
  { title: 'SendMessageRequest' },
)

export const sendMessage = route({
  operation: 'sendMessage',
  method: 'POST',
  path: '/api/v1/messages',
  aliases: ['/messages'],
  tag: 'messages',
  access: 'messages.send',
  summary: 'Send a message',
  description:
    'To an agent, to every agent that holds a role, or to every agent that follows a topic. 201 when it is durable; from then on each of them gets it again until it acknowledges it. A role that nobody holds gets it once somebody does. `idempotency_key` (or the header Idempotency-Key) makes a message that is sent again the same message, for as long as it is kept.',
  idempotency: false,
  body: SendMessageRequest,
  answers: { 201: Message },
  example: {
    body: {
      to: { agent: 'sre' },
      type: 'request',
      subject: sampleMessage.subject,
      body: sampleMessage.body,
      data: sampleMessage.data,
      attachments: [{ artifact_id: SAMPLE.artifact, name: 'error.log' }],
      idempotency_key: sampleMessage.idempotency_key,
    },
    answer: sampleMessage,
  },
  async answer({ body, principal, caller, headers, header }, { services }) {
    const namespace = namespaceFor(principal, body.namespace)
    const key = body.idempotency_key ?? headers['idempotency-key']
    const { message, isNew } = await services.messages.send(
      {
        namespace,
        to: receiverOf(body.to),
        topic: body.topic ?? null,
        threadId: body.thread_id ?? null,
        replyTo: body.reply_to ?? null,
        type: body.type,
        subject: body.subject ?? null,
        body: body.body,
        // The body came as JSON, so its members are JSON.
        data: (body.data ?? {}) as JsonObject,
        attachments: body.attachments.map(({ artifact_id, name = null }) => ({ artifact_id, name })),
        idempotencyKey: typeof key === 'string' ? key.slice(0, 255) : null,
        expiresAt: body.expires_at == null ? null : new Date(body.expires_at),
      },
      { ...caller, agent: principal.type === 'agent' ? { namespace, name: principal.agent } : null },
    )
    if (!isNew) header('idempotency-replayed', 'true')
    return messageDto(message)
  },
})

function receiverOf(to: Static<typeof Receiver>): { readonly kind: ReceiverKind; readonly name: string } {
  const [entry] = Object.entries(to) as [ReceiverKind, string][]
  return { kind: entry![0], name: entry![1] }
}
