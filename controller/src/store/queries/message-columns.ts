import type { Executor } from '../database.ts'

/** What readers get of a message `m`: everything but what it is searched by. */
export function messageColumns(sql: Executor) {
  return sql`m.message_id, m.seq, m.namespace, m.sender, m.to_kind, m.to_name, m.topic, m.thread_id, m.reply_to, m.type, m.subject,
    m.body, m.data, m.attachments, m.idempotency_key, m.correlation_id, m.sent_at, m.expires_at, m.recipients`
}
