import type { JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

/** A measured consumption, as readers see it. */
export interface Footprint {
  readonly occurred_at: Date
  readonly env_id: string
  readonly run_id: string | null
  readonly step_id: string | null
  readonly source_kind: string
  readonly source_ref: string
  readonly metric: string
  readonly quantity: number
  readonly unit: string
  /** `informational`, `internal`, `billable` … */
  readonly class: string
  readonly dims_json: JsonObject
}

/** Stores consumption that does not follow from runs and steps. */
export async function insertFootprint(tx: Tx, footprintId: string, row: Footprint): Promise<void> {
  await tx`SELECT footprints_ensure_partition(${row.occurred_at})`
  await tx`
    INSERT INTO footprint_rows ${tx({ footprint_id: footprintId, ...row, dims_json: tx.json(row.dims_json) })}`
}

/** A page of everything a run consumed, the oldest first, also what follows from its rows. */
export async function footprintsOfRun(
  sql: Executor,
  page: { readonly runId: string; readonly metric: string | null; readonly offset: number; readonly limit: number },
): Promise<Footprint[]> {
  return sql<Footprint[]>`
    SELECT occurred_at, env_id, run_id, step_id, source_kind, source_ref, metric, quantity::float8 AS quantity, unit, class, dims_json
    FROM footprints
    WHERE run_id = ${page.runId} ${page.metric === null ? sql`` : sql`AND metric = ${page.metric}`}
    ORDER BY occurred_at, source_kind, source_ref, metric, dims_json
    LIMIT ${page.limit} OFFSET ${page.offset}`
}
