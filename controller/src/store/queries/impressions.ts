import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

/** A label that somebody gave to a run or a step, with what it was derived from. */
export interface Impression {
  readonly impression_id: string
  readonly recorded_at: Date
  readonly env_id: string
  readonly run_id: string | null
  readonly step_id: string | null
  readonly label: string
  readonly value: Json
  readonly basis_json: JsonObject
  readonly recorded_by: string
  readonly correlation_id: string
}

export async function insertImpression(tx: Tx, row: Impression): Promise<void> {
  await tx`SELECT impressions_ensure_partition(${row.recorded_at})`
  await tx`
    INSERT INTO impressions ${tx({ ...row, value: tx.json(row.value), basis_json: tx.json(row.basis_json) })}`
}

/** The newest first. */
export async function pageImpressions(
  sql: Executor,
  page: {
    readonly runId: string | null
    readonly label: string | null
    readonly after: { readonly recordedAt: Date; readonly id: string } | null
    readonly limit: number
  },
): Promise<Impression[]> {
  return sql<Impression[]>`
    SELECT impression_id, recorded_at, env_id, run_id, step_id, label, value, basis_json, recorded_by, correlation_id
    FROM impressions WHERE true
      ${page.runId === null ? sql`` : sql`AND run_id = ${page.runId}`}
      ${page.label === null ? sql`` : sql`AND label = ${page.label}`}
      ${page.after === null ? sql`` : sql`AND (recorded_at, impression_id) < (${page.after.recordedAt}, ${page.after.id})`}
    ORDER BY recorded_at DESC, impression_id DESC LIMIT ${page.limit}`
}
