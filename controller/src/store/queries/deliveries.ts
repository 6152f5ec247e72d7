import type { Executor, Tx } from '../database.ts'
import { messageColumns } from './message-columns.ts'
import type { MessageRow } from './messages.ts'

/** Whose deliveries are meant. */
export interface Mailbox {
  readonly namespace: string
  readonly agent: string
}

export interface DeliveredMessage extends MessageRow {
  /** How often it was handed out, this time included. */
  readonly attempts: number
}

export interface DeliveryRow {
  readonly message_id: string
  readonly namespace: string
  readonly agent: string
  readonly attempts: number
  readonly delivered_at: Date | null
  readonly acked_at: Date | null
  readonly acked_by: string | null
  readonly dead_at: Date | null
  readonly dead_reason: 'unacknowledged' | 'expired' | null
}

/** When an attempt is another one, and how many there are. */
export interface AttemptRule {
  readonly now: Date
  /** An attempt that began at this time or before is over. */
  readonly overSince: Date
  readonly most: number
}

/**
 * Hands out what is not acknowledged, in order: what came after the number `after` up to `upto`, or the messages named.
 * An attempt is counted when the one before is over, so whoever asks every second does not use them up.
 */
export async function takeDeliveries(
  tx: Tx,
  { namespace, agent }: Mailbox,
  rule: AttemptRule,
  which: {
    readonly after: number
    readonly upto?: number
    readonly messages?: readonly string[]
    /** Only those whose last attempt is over. */
    readonly overOnly?: boolean
    readonly limit: number
  },
): Promise<DeliveredMessage[]> {
  const isOver = tx`(d.delivered_at IS NULL OR d.delivered_at <= ${rule.overSince})`
  return tx<DeliveredMessage[]>`
    WITH due AS MATERIALIZED (
      SELECT d.message_id, d.attempts, ${isOver} AS again FROM deliveries d
      WHERE d.namespace = ${namespace} AND d.agent = ${agent} AND d.acked_at IS NULL AND d.dead_at IS NULL
        AND (d.expires_at IS NULL OR d.expires_at > ${rule.now})
        AND d.seq > ${which.after} ${which.upto === undefined ? tx`` : tx`AND d.seq <= ${which.upto}`}
        ${which.messages === undefined ? tx`` : tx`AND d.message_id = ANY(${[...which.messages]}::uuid[])`}
        ${which.overOnly === true ? tx`AND ${isOver}` : tx``}
        AND (d.attempts < ${rule.most} OR NOT ${isOver})
      ORDER BY d.seq LIMIT ${which.limit}
      FOR UPDATE
    ), counted AS (
      UPDATE deliveries d SET attempts = d.attempts + 1, delivered_at = ${rule.now} FROM due
      WHERE due.again AND d.message_id = due.message_id AND d.namespace = ${namespace} AND d.agent = ${agent}
    )
    SELECT ${messageColumns(tx)}, due.attempts + CASE WHEN due.again THEN 1 ELSE 0 END AS attempts
    FROM due JOIN messages m USING (message_id) ORDER BY m.seq`
}

/** Messages to a role that nobody held when they were sent reach whoever holds it now. */
export async function claimForRoles(tx: Tx, { namespace, agent }: Mailbox, roles: readonly string[]): Promise<void> {
  await tx`
    INSERT INTO deliveries (message_id, namespace, agent, seq, expires_at)
    SELECT m.message_id, m.namespace, ${agent}, m.seq, m.expires_at FROM messages m
    WHERE m.namespace = ${namespace} AND m.to_kind = 'role' AND m.recipients = 0 AND m.to_name = ANY(${[...roles]}::text[])
    ON CONFLICT (message_id, namespace, agent) DO NOTHING`
}

/** Null: no such delivery. `isNew`: it was not acknowledged before. */
export async function acknowledge(
  tx: Tx,
  messageId: string,
  { namespace, agent }: Mailbox,
  by: { readonly actor: string; readonly now: Date },
): Promise<{ readonly ackedAt: Date; readonly isNew: boolean } | null> {
  const [row] = await tx<{ acked_at: Date; is_new: boolean }[]>`
    WITH held AS (
      SELECT message_id, acked_at FROM deliveries
      WHERE message_id = ${messageId} AND namespace = ${namespace} AND agent = ${agent} FOR UPDATE
    )
    UPDATE deliveries d
    SET acked_at = coalesce(held.acked_at, ${by.now}::timestamptz), acked_by = coalesce(d.acked_by, ${by.actor}),
        dead_at = NULL, dead_reason = NULL
    FROM held WHERE d.message_id = held.message_id AND d.namespace = ${namespace} AND d.agent = ${agent}
    RETURNING d.acked_at, held.acked_at IS NULL AS is_new`
  return row === undefined ? null : { ackedAt: row.acked_at, isNew: row.is_new }
}

/** Gives up what was handed out as often as may be, and what is over: of one mailbox, or of all. */
export async function giveUpDeliveries(
  tx: Tx,
  rule: AttemptRule,
  scope: { readonly mailbox: Mailbox | null; readonly limit: number },
): Promise<(DeliveryRow & Pick<MessageRow, 'correlation_id' | 'thread_id' | 'sender'>)[]> {
  const { mailbox } = scope
  return tx`
    WITH lost AS (
      SELECT d.message_id, d.namespace, d.agent, d.expires_at <= ${rule.now} AS over FROM deliveries d
      WHERE d.acked_at IS NULL AND d.dead_at IS NULL
        ${mailbox === null ? tx`` : tx`AND d.namespace = ${mailbox.namespace} AND d.agent = ${mailbox.agent}`}
        AND (d.expires_at <= ${rule.now} OR (d.attempts >= ${rule.most} AND d.delivered_at <= ${rule.overSince}))
      ORDER BY d.namespace, d.agent, d.seq LIMIT ${scope.limit}
      FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries d SET dead_at = ${rule.now}, dead_reason = CASE WHEN lost.over THEN 'expired' ELSE 'unacknowledged' END
    FROM lost, messages m
    WHERE d.message_id = lost.message_id AND d.namespace = lost.namespace AND d.agent = lost.agent AND m.message_id = d.message_id
    RETURNING d.message_id, d.namespace, d.agent, d.attempts, d.delivered_at, d.acked_at, d.acked_by, d.dead_at, d.dead_reason,
              m.correlation_id, m.thread_id, m.sender`
}

/** Makes deliveries of a message that were given up due again; the agents they are for. `agent` null = all of them. */
export async function reviveDeliveries(tx: Tx, messageId: string, agent: string | null): Promise<string[]> {
  const rows = await tx<{ agent: string }[]>`
    UPDATE deliveries SET dead_at = NULL, dead_reason = NULL, attempts = 0, delivered_at = NULL, expires_at = NULL
    WHERE message_id = ${messageId} AND dead_at IS NOT NULL AND acked_at IS NULL
      ${agent === null ? tx`` : tx`AND agent = ${agent}`}
    RETURNING agent`
  return rows.map((row) => row.agent)
}

export async function deliveriesOf(sql: Executor, messageId: string): Promise<DeliveryRow[]> {
  return sql<DeliveryRow[]>`
    SELECT message_id, namespace, agent, attempts, delivered_at, acked_at, acked_by, dead_at, dead_reason
    FROM deliveries WHERE message_id = ${messageId} ORDER BY namespace, agent`
}

/** Deliveries that were given up, the newest first, with their messages. */
export async function deadDeliveries(
  sql: Executor,
  page: {
    readonly namespace: string | null
    readonly agent: string | null
    readonly after: { readonly deadAt: Date; readonly messageId: string; readonly agent: string } | null
    readonly limit: number
  },
): Promise<(DeliveryRow & MessageRow & { readonly dead_at: Date })[]> {
  const { namespace, agent, after } = page
  return sql`
    SELECT ${messageColumns(sql)}, d.agent, d.attempts, d.delivered_at, d.acked_at, d.acked_by, d.dead_at, d.dead_reason
    FROM deliveries d JOIN messages m USING (message_id)
    WHERE d.dead_at IS NOT NULL
      ${namespace === null ? sql`` : sql`AND d.namespace = ${namespace}`}
      ${agent === null ? sql`` : sql`AND d.agent = ${agent}`}
      ${after === null ? sql`` : sql`AND (d.dead_at, d.message_id, d.agent) < (${after.deadAt}, ${after.messageId}, ${after.agent})`}
    ORDER BY d.dead_at DESC, d.message_id DESC, d.agent DESC
    LIMIT ${page.limit}`
}
