import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** One row of a source's history (view `sync_history`). */
export interface SyncRow {
  readonly id: string
  readonly source: string
  readonly seq: number
  readonly from_revision: string | null
  readonly to_revision: string
  readonly outcome: 'applied' | 'partial' | 'refused' | 'observed'
  readonly counts: JsonObject
  readonly changes: Json
  readonly issues: Json
  readonly ignored: number
  readonly digest: string
  readonly actor: string
  readonly occurred_at: Date
  readonly duration_ms: number
}

/** A page of a source's history, the newest first; `before` = the number the page starts behind. */
export async function pageSyncs(
  sql: Executor,
  page: { readonly source: string; readonly before: number | null; readonly limit: number },
): Promise<readonly SyncRow[]> {
  return sql<SyncRow[]>`
    SELECT id, source, seq, from_revision, to_revision, outcome, counts, changes, issues, ignored, digest, actor, occurred_at, duration_ms
    FROM sync_history
    WHERE source = ${page.source} ${page.before === null ? sql`` : sql`AND seq < ${page.before}`}
    ORDER BY seq DESC LIMIT ${page.limit}`
}

export async function syncById(sql: Executor, id: string): Promise<SyncRow | null> {
  const [row] = await sql<SyncRow[]>`
    SELECT id, source, seq, from_revision, to_revision, outcome, counts, changes, issues, ignored, digest, actor, occurred_at, duration_ms
    FROM sync_history WHERE id = ${id}`
  return row ?? null
}
