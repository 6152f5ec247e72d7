import type { Executor } from '../database.ts'
import { messageColumns } from './message-columns.ts'
import { type MessageRow, searchedWords } from './messages.ts'

/** A conversation: its last message, and what came before in a few words. */
export interface ThreadRow extends MessageRow {
  /** Of its first message that is still held; null = it has none. */
  readonly opened_with: string | null
  readonly opened_at: Date
  readonly message_count: number
  /** Who said something in it, at most {@link MOST_SPEAKERS}. */
  readonly speakers: readonly string[]
}

export const MOST_SPEAKERS = 20

export interface ThreadFilter {
  readonly namespace: string
  /** Words that one of its messages has. */
  readonly words: string | null
  readonly topic: string | null
  /** One of its messages was sent by this agent, or to it. */
  readonly agent: { readonly namespace: string; readonly name: string } | null
  /** The page starts behind the thread whose last message has this number. */
  readonly before: number | null
  readonly limit: number
}

/** Threads, the one that was spoken in last first. */
export async function pageThreads(sql: Executor, filter: ThreadFilter): Promise<ThreadRow[]> {
  const { namespace, words, topic, agent, before, limit } = filter
  return sql<ThreadRow[]>`
    SELECT ${messageColumns(sql)}, opening.subject AS opened_with, opening.sent_at AS opened_at,
           (SELECT count(*) FROM messages t WHERE t.thread_id = m.thread_id) AS message_count,
           ARRAY(SELECT DISTINCT t.sender FROM messages t WHERE t.thread_id = m.thread_id ORDER BY 1 LIMIT ${MOST_SPEAKERS}) AS speakers
    FROM messages m
    CROSS JOIN LATERAL (
      SELECT o.subject, o.sent_at FROM messages o WHERE o.thread_id = m.thread_id ORDER BY o.seq LIMIT 1
    ) opening
    WHERE m.namespace = ${namespace}
      AND NOT EXISTS (SELECT FROM messages l WHERE l.thread_id = m.thread_id AND l.seq > m.seq)
      ${before === null ? sql`` : sql`AND m.seq < ${before}`}
      ${
        words === null
          ? sql``
          : sql`AND EXISTS (SELECT FROM messages w WHERE w.thread_id = m.thread_id
                AND w.words @@ websearch_to_tsquery('simple', ${searchedWords(words)}))`
      }
      ${topic === null ? sql`` : sql`AND EXISTS (SELECT FROM messages t WHERE t.thread_id = m.thread_id AND t.topic = ${topic})`}
      ${
        agent === null
          ? sql``
          : sql`AND EXISTS (SELECT FROM messages a WHERE a.thread_id = m.thread_id
                AND (a.sender = ${`agent:${agent.namespace}/${agent.name}`} OR EXISTS (
                  SELECT FROM deliveries d
                  WHERE d.message_id = a.message_id AND d.namespace = ${agent.namespace} AND d.agent = ${agent.name})))`
      }
    ORDER BY m.seq DESC LIMIT ${limit}`
}
