import type { Json, JsonObject } from '../../lib/json.ts'
import { type Column, integer, json, text, time, uuid } from '../journal/columns.ts'

/** Whom a message is for: one agent, whoever holds a role, whoever follows a topic. */
export type ReceiverKind = 'agent' | 'role' | 'topic'

/** A message before the log gives it a number. */
export interface NewMessage {
  /** Also the id of the event that says it was sent. */
  readonly message_id: string
  readonly namespace: string
  readonly sender: string
  readonly to_kind: ReceiverKind
  readonly to_name: string
  readonly topic: string | null
  readonly thread_id: string
  readonly reply_to: string | null
  readonly type: string
  readonly subject: string | null
  readonly body: string
  readonly data: JsonObject
  readonly attachments: readonly Json[]
  readonly idempotency_key: string | null
  readonly request_digest: string | null
  readonly correlation_id: string
  readonly sent_at: Date
  readonly expires_at: Date | null
  /** Names of the agents it reaches now. */
  readonly recipients: readonly string[]
}

/** A row with the place of its event in the batch, from 1: its number follows from it. */
type Placed<Row> = Row & { readonly event_place: number }

export const MESSAGES: readonly Column<Placed<NewMessage>>[] = [
  integer('event_place', (row) => row.event_place),
  uuid('message_id', (row) => row.message_id),
  text('namespace', (row) => row.namespace),
  text('sender', (row) => row.sender),
  text('to_kind', (row) => row.to_kind),
  text('to_name', (row) => row.to_name),
  text('topic', (row) => row.topic),
  uuid('thread_id', (row) => row.thread_id),
  uuid('reply_to', (row) => row.reply_to),
  text('type', (row) => row.type),
  text('subject', (row) => row.subject),
  text('body', (row) => row.body),
  json('data', (row) => row.data),
  json('attachments', (row) => row.attachments as Json),
  text('idempotency_key', (row) => row.idempotency_key),
  text('request_digest', (row) => row.request_digest),
  text('correlation_id', (row) => row.correlation_id),
  time('sent_at', (row) => row.sent_at),
  time('expires_at', (row) => row.expires_at),
  integer('recipients', (row) => row.recipients.length),
]

export interface NewDelivery {
  readonly message_id: string
  readonly namespace: string
  readonly agent: string
  readonly expires_at: Date | null
}

export const DELIVERIES: readonly Column<Placed<NewDelivery>>[] = [
  integer('event_place', (row) => row.event_place),
  uuid('message_id', (row) => row.message_id),
  text('namespace', (row) => row.namespace),
  text('agent', (row) => row.agent),
  time('expires_at', (row) => row.expires_at),
]
