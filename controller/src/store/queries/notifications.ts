import type { JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'
import type { LoggedEvent } from '../ports.ts'
import { type EventRow, loggedEvent } from './events.ts'

export const NOTIFICATION_STATES = ['pending', 'delivered', 'dead'] as const
export type NotificationState = (typeof NOTIFICATION_STATES)[number]

export interface NotificationRow {
  readonly delivery_id: string
  readonly namespace: string
  readonly route: string
  readonly provider: string
  readonly severity: string
  readonly event_id: string
  readonly event_name: string
  readonly event: JsonObject
  readonly news: string
  readonly state: NotificationState
  readonly attempts: number
  readonly suppressed: number
  readonly created_at: Date
  readonly next_at: Date
  readonly ended_at: Date | null
  readonly problem: string | null
}

export type NewNotification = Omit<NotificationRow, 'state' | 'attempts' | 'suppressed' | 'ended_at' | 'problem'>

/** Events behind a position whose names fit a regular expression, and how far the log had come. */
export async function readMatchingBehind(
  sql: Executor,
  range: { readonly after: number; readonly pattern: string; readonly limit: number },
): Promise<{ readonly head: number; readonly events: readonly LoggedEvent[] }> {
  type Row = { readonly head: number } & { readonly [Column in keyof EventRow]: EventRow[Column] | null }
  const rows = await sql<Row[]>`
    SELECT log_head.seq AS head, found.*
    FROM log_head LEFT JOIN LATERAL (
      SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type,
             resource_id, data
      FROM events
      WHERE seq > ${range.after} AND seq <= log_head.seq AND event_name ~ ${range.pattern}
      ORDER BY seq LIMIT ${range.limit}
    ) AS found ON true
    ORDER BY found.seq`
  return {
    head: rows[0]!.head,
    events: rows.filter((row): row is EventRow & Row => row.seq !== null).map(loggedEvent),
  }
}

export async function insertNotification(tx: Tx, row: NewNotification): Promise<void> {
  await tx`INSERT INTO notifications ${tx({ ...row, event: tx.json(row.event) } as never)}`
}

/**
 * Counts one more that is not sent on the delivery that stands for it: the same news since `sameSince`, or, when as many as
 * `most` were made since `minuteAgo`, the last one of the route. False when it is to be sent.
 */
export async function suppress(
  tx: Tx,
  route: { readonly namespace: string; readonly name: string },
  rule: { readonly news: string; readonly sameSince: Date; readonly minuteAgo: Date; readonly most: number },
): Promise<boolean> {
  const rows = await tx`
    WITH same AS (
      SELECT delivery_id FROM notifications
      WHERE namespace = ${route.namespace} AND route = ${route.name} AND news = ${rule.news} AND created_at > ${rule.sameSince}
      ORDER BY created_at DESC LIMIT 1
    ), recent AS (
      SELECT delivery_id, created_at FROM notifications
      WHERE namespace = ${route.namespace} AND route = ${route.name} AND created_at > ${rule.minuteAgo}
    ), standing AS (
      SELECT delivery_id FROM same
      UNION ALL
      (SELECT delivery_id FROM recent WHERE (SELECT count(*) FROM recent) >= ${rule.most} ORDER BY created_at DESC LIMIT 1)
      LIMIT 1
    )
    UPDATE notifications n SET suppressed = n.suppressed + 1 FROM standing s WHERE n.delivery_id = s.delivery_id RETURNING 1`
  return rows.length > 0
}

/** Deliveries whose time has come. */
export async function dueNotifications(sql: Executor, now: Date, limit: number): Promise<NotificationRow[]> {
  return sql<NotificationRow[]>`
    SELECT * FROM notifications WHERE state = 'pending' AND next_at <= ${now} ORDER BY next_at LIMIT ${limit}`
}

/** When the next one is due; null when none waits. */
export async function nextNotificationAt(sql: Executor): Promise<Date | null> {
  const [row] = await sql<{ at: Date | null }[]>`SELECT min(next_at) AS at FROM notifications WHERE state = 'pending'`
  return row!.at
}

/** What became of an attempt. False when the delivery is not pending any more. */
export async function settleNotification(
  tx: Tx,
  id: string,
  end: {
    readonly state: NotificationState
    readonly nextAt: Date
    readonly endedAt: Date | null
    readonly problem: string | null
  },
): Promise<boolean> {
  const result = await tx`
    UPDATE notifications SET state = ${end.state}, attempts = attempts + 1, next_at = ${end.nextAt}, ended_at = ${end.endedAt},
           problem = ${end.problem}
    WHERE delivery_id = ${id} AND state = 'pending'`
  return result.count === 1
}

/** Has one that was given up tried again, from the first attempt. Null when it is not dead. */
export async function reviveNotification(tx: Tx, id: string, now: Date): Promise<NotificationRow | null> {
  const [row] = await tx<NotificationRow[]>`
    UPDATE notifications SET state = 'pending', attempts = 0, next_at = ${now}, ended_at = NULL, problem = NULL
    WHERE delivery_id = ${id} AND state = 'dead' RETURNING *`
  return row ?? null
}

export async function notificationById(sql: Executor, id: string): Promise<NotificationRow | null> {
  const [row] = await sql<NotificationRow[]>`SELECT * FROM notifications WHERE delivery_id = ${id}`
  return row ?? null
}

/** Newest first. */
export async function pageNotifications(
  sql: Executor,
  filter: {
    readonly namespace: string | null
    readonly route: string | null
    readonly state: NotificationState | null
    readonly before: { readonly at: Date; readonly id: string } | null
    readonly limit: number
  },
): Promise<NotificationRow[]> {
  const { namespace, route, state, before, limit } = filter
  return sql<NotificationRow[]>`
    SELECT * FROM notifications
    WHERE (${namespace}::text IS NULL OR namespace = ${namespace}) AND (${route}::text IS NULL OR route = ${route})
      AND (${state}::text IS NULL OR state = ${state})
      ${before === null ? sql`` : sql`AND (created_at, delivery_id) < (${before.at}, ${before.id}::uuid)`}
    ORDER BY created_at DESC, delivery_id DESC LIMIT ${limit}`
}

export async function notificationCounts(
  sql: Executor,
  route: { readonly namespace: string; readonly name: string },
): Promise<{ readonly pending: number; readonly dead: number; readonly last: Date | null }> {
  const [row] = await sql<{ pending: number; dead: number; last: Date | null }[]>`
    SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'dead') AS dead,
           max(ended_at) FILTER (WHERE state = 'delivered') AS last
    FROM notifications WHERE namespace = ${route.namespace} AND route = ${route.name}`
  return { pending: Number(row!.pending), dead: Number(row!.dead), last: row!.last }
}

/** Removes what ended before a time. */
export async function dropOldNotifications(tx: Tx, before: Date): Promise<number> {
  const result = await tx`DELETE FROM notifications WHERE state <> 'pending' AND created_at < ${before}`
  return result.count
}
