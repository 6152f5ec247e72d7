import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'
import type { ReceiverKind } from '../intake/tables.ts'
import { messageColumns } from './message-columns.ts'

/** A message as it was sent. */
export interface MessageRow {
  readonly message_id: string
  readonly seq: number
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
  readonly correlation_id: string
  readonly sent_at: Date
  readonly expires_at: Date | null
  readonly recipients: number
}

export async function getMessage(sql: Executor, messageId: string): Promise<MessageRow | null> {
  const [row] = await sql<MessageRow[]>`
    SELECT ${messageColumns(sql)} FROM messages m WHERE m.message_id = ${messageId}`
  return row ?? null
}

export interface MessageFilter {
  readonly namespace: string | null
  /** Words, as people type them into a search: `"disk full" -test`. */
  readonly words: string | null
  /** Sent by this agent, or delivered to it. */
  readonly agent: { readonly namespace: string; readonly name: string } | null
  readonly topic: string | null
  readonly threadId: string | null
  readonly from: Date | null
  readonly to: Date | null
  /** Only what this agent may see: what it sent and what it was sent. */
  readonly visibleTo: { readonly namespace: string; readonly name: string } | null
  /** `desc` = the newest first. */
  readonly order: 'asc' | 'desc'
  /** The page starts behind this number in its order. */
  readonly cursor: number | null
  readonly limit: number
}

/**
 * What somebody searches for, read as messages are: what joins words in markup, addresses and paths divides them (as column
 * `words` has it). A minus behind it is no "without".
 */
export function searchedWords(text: string): string {
  return text.replaceAll(/[<>/\\@=&?#.:]+-?/g, ' ')
}

export async function searchMessages(sql: Executor, filter: MessageFilter): Promise<MessageRow[]> {
  const { namespace, words, agent, topic, threadId, from, to, visibleTo, cursor, order } = filter
  const concerns = ({ namespace, name }: { readonly namespace: string; readonly name: string }) => sql`
    AND (m.sender = ${`agent:${namespace}/${name}`}
         OR EXISTS (SELECT FROM deliveries d WHERE d.message_id = m.message_id AND d.namespace = ${namespace} AND d.agent = ${name}))`
  return sql<MessageRow[]>`
    SELECT ${messageColumns(sql)} FROM messages m
    WHERE true
      ${namespace === null ? sql`` : sql`AND m.namespace = ${namespace}`}
      ${words === null ? sql`` : sql`AND m.words @@ websearch_to_tsquery('simple', ${searchedWords(words)})`}
      ${agent === null ? sql`` : concerns(agent)}
      ${visibleTo === null ? sql`` : concerns(visibleTo)}
      ${topic === null ? sql`` : sql`AND m.topic = ${topic}`}
      ${threadId === null ? sql`` : sql`AND m.thread_id = ${threadId}`}
      ${from === null ? sql`` : sql`AND m.sent_at >= ${from}`}
      ${to === null ? sql`` : sql`AND m.sent_at < ${to}`}
      ${cursor === null ? sql`` : order === 'desc' ? sql`AND m.seq < ${cursor}` : sql`AND m.seq > ${cursor}`}
    ORDER BY ${order === 'desc' ? sql`m.seq DESC` : sql`m.seq`}
    LIMIT ${filter.limit}`
}

/** Whether an agent sent or was sent something in a thread. */
export async function takesPart(
  sql: Executor,
  threadId: string,
  agent: { readonly namespace: string; readonly name: string },
): Promise<boolean> {
  const rows = await sql`
    SELECT FROM messages m WHERE m.thread_id = ${threadId}
      AND (m.sender = ${`agent:${agent.namespace}/${agent.name}`} OR EXISTS (
        SELECT FROM deliveries d
        WHERE d.message_id = m.message_id AND d.namespace = ${agent.namespace} AND d.agent = ${agent.name}))
    LIMIT 1`
  return rows.length === 1
}

export async function threadExists(sql: Executor, threadId: string, namespace: string): Promise<boolean> {
  const rows = await sql`SELECT FROM messages WHERE thread_id = ${threadId} AND namespace = ${namespace} LIMIT 1`
  return rows.length === 1
}

/** Those of these artifacts that do not exist. */
export async function missingArtifacts(sql: Executor, ids: readonly string[]): Promise<string[]> {
  const rows = await sql<{ artifact_id: string }[]>`
    SELECT a.artifact_id FROM artifacts a WHERE a.artifact_id = ANY(${[...ids]}::uuid[])`
  const known = new Set(rows.map(({ artifact_id }) => artifact_id))
  return ids.filter((id) => !known.has(id))
}

/** Messages sent before `time` that nobody waits for any more, with their deliveries. Returns how many. */
export async function deleteMessagesBefore(tx: Executor, time: Date, limit: number): Promise<number> {
  const rows = await tx`
    WITH old AS (
      SELECT m.message_id FROM messages m
      WHERE m.sent_at < ${time} AND NOT EXISTS (
        SELECT FROM deliveries d WHERE d.message_id = m.message_id AND d.acked_at IS NULL AND d.dead_at IS NULL)
      ORDER BY m.seq LIMIT ${limit}
    ), delivered AS (
      DELETE FROM deliveries d USING old WHERE d.message_id = old.message_id
    )
    DELETE FROM messages m USING old WHERE m.message_id = old.message_id RETURNING 1`
  return rows.count
}
