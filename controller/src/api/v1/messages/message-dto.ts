import Type, { type Static } from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import type { DeliveredMessage, DeliveryRow } from '../../../store/queries/deliveries.ts'
import type { MessageRow } from '../../../store/queries/messages.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, only, Reference, Time, Uuid } from '../schemas.ts'

/** A role or a topic. */
export const Word = Type.String({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
  description: "lower-case letters, digits, '-', '_' and '.'",
})

/** Exactly one of these. */
export const Receiver = Type.Union([only({ agent: Reference }), only({ role: Word }), only({ topic: Word })], {
  title: 'Receiver',
  description:
    'an agent by its name, agentId or uid; every agent that holds a role; every agent that follows a topic at this moment',
})

const Attachment = Type.Object(
  {
    artifact_id: Uuid,
    name: Nullable(
      Type.String({ minLength: 1, maxLength: 253, description: 'what to call it; null = as the artifact' }),
    ),
  },
  { title: 'MessageAttachment' },
)

const fields = {
  message_id: Type.String({ format: 'uuid', description: 'also the id of the event that says it was sent' }),
  seq: Type.Integer({ description: 'its number in the log: the order of messages' }),
  namespace: Type.String(),
  from: Type.String({ description: 'agent:<namespace>/<name>, user:…, key:…' }),
  to: Receiver,
  topic: Nullable(Type.String()),
  thread_id: Uuid,
  reply_to: Nullable(Uuid),
  type: Type.String(),
  subject: Nullable(Type.String()),
  body: Type.String(),
  data: JsonMap,
  attachments: Type.Array(Attachment),
  idempotency_key: Nullable(Type.String()),
  correlation_id: Type.String(),
  sent_at: Time,
  expires_at: Nullable(Time),
  recipients: Type.Integer({ description: 'how many agents it reached when it was sent' }),
}
export const Message = Type.Object(fields, { title: 'Message' })
export const DeliveredMessageDto = Type.Object(
  {
    ...fields,
    attempt: Type.Integer({ description: 'how often it was handed out to this agent, this time included' }),
  },
  { title: 'DeliveredMessage' },
)

const deliveryFields = {
  agent: Type.String(),
  attempts: Type.Integer(),
  delivered_at: Nullable(Type.String({ format: 'date-time', description: 'when the last attempt began' })),
  acked_at: Nullable(Time),
  acked_by: Nullable(Type.String()),
  dead_at: Nullable(Type.String({ format: 'date-time', description: 'when it was given up' })),
  dead_reason: Nullable(Type.Enum(['unacknowledged', 'expired'])),
}
export const Delivery = Type.Object(deliveryFields, { title: 'Delivery' })
export const DeadMessage = Type.Object({ message: Message, delivery: Delivery }, { title: 'DeadMessage' })

export function messageDto(row: MessageRow): Static<typeof Message> {
  const { sender, to_kind, to_name, sent_at, expires_at, attachments } = row
  return {
    message_id: row.message_id,
    seq: row.seq,
    namespace: row.namespace,
    from: sender,
    to: { [to_kind]: to_name } as Static<typeof Receiver>,
    topic: row.topic,
    thread_id: row.thread_id,
    reply_to: row.reply_to,
    type: row.type,
    subject: row.subject,
    body: row.body,
    data: { ...row.data },
    attachments: attachments as Static<typeof Attachment>[],
    idempotency_key: row.idempotency_key,
    correlation_id: row.correlation_id,
    sent_at: sent_at.toISOString(),
    expires_at: expires_at?.toISOString() ?? null,
    recipients: row.recipients,
  }
}

export function deliveredDto(row: DeliveredMessage): Static<typeof DeliveredMessageDto> & JsonObject {
  return { ...messageDto(row), attempt: row.attempts } as Static<typeof DeliveredMessageDto> & JsonObject
}

export function deliveryDto(row: DeliveryRow): Static<typeof Delivery> {
  return {
    agent: row.agent,
    attempts: row.attempts,
    delivered_at: row.delivered_at?.toISOString() ?? null,
    acked_at: row.acked_at?.toISOString() ?? null,
    acked_by: row.acked_by,
    dead_at: row.dead_at?.toISOString() ?? null,
    dead_reason: row.dead_reason,
  }
}

export const sampleMessage: Static<typeof Message> = {
  message_id: SAMPLE.message,
  seq: 4712,
  namespace: 'default',
  from: 'user:ada',
  to: { agent: 'sre' },
  topic: null,
  thread_id: SAMPLE.message,
  reply_to: null,
  type: 'request',
  subject: 'nginx on web-1',
  body: 'Please look at nginx on web-1.',
  data: { host: 'web-1' },
  attachments: [{ artifact_id: SAMPLE.artifact, name: 'error.log' }],
  idempotency_key: 'ticket-4711',
  correlation_id: SAMPLE.correlation,
  sent_at: SAMPLE.time,
  expires_at: null,
  recipients: 1,
}

export const sampleDelivery: Static<typeof Delivery> = {
  agent: 'sre',
  attempts: 1,
  delivered_at: SAMPLE.later,
  acked_at: null,
  acked_by: null,
  dead_at: null,
  dead_reason: null,
}
