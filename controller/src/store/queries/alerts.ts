import { type AlertState, alertStatesBefore } from '../../lifecycle/alert.ts'
import type { Executor } from '../database.ts'

export const SEVERITIES = ['info', 'warning', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

export interface AlertRow {
  readonly alert_id: string
  /** What it is about: raised again under the same key, it is the same alert. */
  readonly key: string
  /** `manual`, or the rule that raised it. */
  readonly rule: string
  readonly namespace: string
  readonly agent: string | null
  readonly severity: Severity
  readonly state: AlertState
  readonly title: string
  readonly message: string
  readonly raised_by: string
  readonly raised_at: Date
  readonly last_raised_at: Date
  /** How often it was raised. */
  readonly count: number
  readonly acknowledged_by: string | null
  readonly acknowledged_at: Date | null
  readonly resolved_by: string | null
  readonly resolved_at: Date | null
  readonly note: string | null
  readonly event_id: string | null
  readonly correlation_id: string
}

export type NewAlert = Pick<
  AlertRow,
  | 'alert_id'
  | 'key'
  | 'rule'
  | 'namespace'
  | 'agent'
  | 'severity'
  | 'title'
  | 'message'
  | 'raised_by'
  | 'raised_at'
  | 'event_id'
  | 'correlation_id'
>

/** A new alert, or the one of its key that is not resolved, counted once more and with what is said of it now. */
export async function raiseAlert(tx: Executor, alert: NewAlert): Promise<AlertRow> {
  const [row] = await tx<AlertRow[]>`
    INSERT INTO alerts ${tx({ ...alert, state: 'open', last_raised_at: alert.raised_at })}
    ON CONFLICT (key) WHERE state <> 'resolved' DO UPDATE
      SET count = alerts.count + 1, last_raised_at = excluded.raised_at, severity = excluded.severity,
          title = excluded.title, message = excluded.message, event_id = excluded.event_id
    RETURNING *`
  return row!
}

/** Null when its state does not allow it. */
export async function acknowledgeAlert(
  tx: Executor,
  id: string,
  by: { readonly actor: string; readonly at: Date; readonly note: string | null },
): Promise<AlertRow | null> {
  const [row] = await tx<AlertRow[]>`
    UPDATE alerts SET state = 'acknowledged', acknowledged_by = ${by.actor}, acknowledged_at = ${by.at},
           note = coalesce(${by.note}, note)
    WHERE alert_id = ${id} AND state = ANY(${alertStatesBefore('acknowledged')}::text[]) RETURNING *`
  return row ?? null
}

/** By id, or by key. Null when there is none that is not resolved. */
export async function resolveAlert(
  tx: Executor,
  which: { readonly id: string } | { readonly key: string },
  by: { readonly actor: string; readonly at: Date; readonly note: string | null },
): Promise<AlertRow | null> {
  const [row] = await tx<AlertRow[]>`
    UPDATE alerts SET state = 'resolved', resolved_by = ${by.actor}, resolved_at = ${by.at}, note = coalesce(${by.note}, note)
    WHERE ${'id' in which ? tx`alert_id = ${which.id}` : tx`key = ${which.key}`}
      AND state = ANY(${alertStatesBefore('resolved')}::text[]) RETURNING *`
  return row ?? null
}

/** Whether any alert of these keys is not resolved. */
export async function hasOpenAlert(sql: Executor, keys: readonly string[]): Promise<boolean> {
  const rows = await sql`
    SELECT 1 FROM alerts WHERE key = ANY(${[...new Set(keys)]}::text[]) AND state <> 'resolved' LIMIT 1`
  return rows.length > 0
}

export async function alertById(sql: Executor, id: string): Promise<AlertRow | null> {
  const [row] = await sql<AlertRow[]>`SELECT * FROM alerts WHERE alert_id = ${id}`
  return row ?? null
}

export interface AlertPage {
  readonly namespace: string | null
  readonly agent: string | null
  readonly severity: Severity | null
  /** `active` = not resolved. */
  readonly state: AlertState | 'active' | null
  readonly after: { readonly raisedAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageAlerts(sql: Executor, page: AlertPage): Promise<AlertRow[]> {
  const states = page.state === 'active' ? ['open', 'acknowledged'] : [page.state]
  return sql<AlertRow[]>`
    SELECT * FROM alerts WHERE true
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.agent === null ? sql`` : sql`AND agent = ${page.agent}`}
      ${page.severity === null ? sql`` : sql`AND severity = ${page.severity}`}
      ${page.state === null ? sql`` : sql`AND state = ANY(${states}::text[])`}
      ${page.after === null ? sql`` : sql`AND (raised_at, alert_id) < (${page.after.raisedAt}, ${page.after.id})`}
    ORDER BY raised_at DESC, alert_id DESC LIMIT ${page.limit}`
}
