import type { Issue } from '../../lib/issue.ts'
import type { Change, Counts } from '../../plan/change-set.ts'
import type { Executor, Tx } from '../database.ts'

/** Where a source stands. */
export interface SourceHead {
  readonly source: string
  readonly attempted_revision: string
  readonly applied_revision: string | null
  readonly applied_tree: string | null
  readonly schema_version: string
  readonly applied_at: Date | null
}

export async function loadSourceHead(sql: Executor, source: string): Promise<SourceHead | null> {
  const [row] = await sql<SourceHead[]>`
    SELECT source, attempted_revision, applied_revision, applied_tree, schema_version, applied_at FROM source_heads WHERE source = ${source}`
  return row ?? null
}

export async function saveSourceHead(tx: Tx, head: SourceHead): Promise<void> {
  await tx`
    INSERT INTO source_heads ${tx(head, 'source', 'attempted_revision', 'applied_revision', 'applied_tree', 'schema_version', 'applied_at')}
    ON CONFLICT (source) DO UPDATE SET attempted_revision = excluded.attempted_revision, applied_revision = excluded.applied_revision,
      applied_tree = excluded.applied_tree, schema_version = excluded.schema_version, applied_at = excluded.applied_at`
}

/** A file that is not simply "all its objects are applied": it has to be read again at a start unless it only holds foreign documents. */
export interface SourceFileRow {
  readonly path: string
  readonly oid: string
  readonly ignored: number
  /** Nothing of ours in it, and nothing to report. */
  readonly foreign_only: boolean
}

export async function loadSourceFiles(sql: Executor, source: string): Promise<SourceFileRow[]> {
  return await sql<SourceFileRow[]>`SELECT path, oid, ignored, foreign_only FROM source_files WHERE source = ${source}`
}

/** Replaces the rows of these paths; a path without a row is healthy. */
export async function saveSourceFiles(
  tx: Tx,
  source: string,
  paths: readonly string[],
  rows: readonly SourceFileRow[],
): Promise<void> {
  if (paths.length > 0)
    await tx`DELETE FROM source_files WHERE source = ${source} AND path = ANY(${paths as string[]}::text[])`
  if (rows.length === 0) return
  await tx`
    INSERT INTO source_files (source, path, oid, ignored, foreign_only)
    SELECT ${source}, path, oid, ignored, foreign_only
    FROM unnest(${rows.map((row) => row.path)}::text[], ${rows.map((row) => row.oid)}::text[], ${rows.map((row) => row.ignored)}::integer[],
                ${rows.map((row) => String(row.foreign_only))}::text[]::boolean[]) AS r (path, oid, ignored, foreign_only)`
}

export type SyncOutcome = 'applied' | 'partial' | 'refused' | 'observed'

/** One entry of the history of ChangeSets. */
export interface SyncRow {
  readonly id: string
  readonly source: string
  readonly seq: number
  readonly from_revision: string | null
  readonly to_revision: string
  readonly outcome: SyncOutcome
  readonly counts: Counts
  /** At most 1,000; `counts` has them all. */
  readonly changes: readonly Change[]
  readonly issues: readonly Issue[]
  readonly ignored: number
  readonly digest: string
  readonly actor: string
  readonly occurred_at: Date
  readonly duration_ms: number
}

export async function insertSync(tx: Tx, row: SyncRow): Promise<void> {
  await tx`
    INSERT INTO syncs (id, source, seq, from_revision, to_revision, outcome, counts, changes, issues, ignored, digest, actor, occurred_at, duration_ms)
    VALUES (${row.id}, ${row.source}, ${row.seq}, ${row.from_revision}, ${row.to_revision}, ${row.outcome}, ${tx.json(row.counts as never)},
            ${tx.json(row.changes as never)}, ${tx.json(row.issues as never)}, ${row.ignored}, ${row.digest}, ${row.actor},
            ${row.occurred_at}, ${row.duration_ms})`
}

/** The latest entries, newest first. */
export async function readSyncs(sql: Executor, source: string, limit: number): Promise<SyncRow[]> {
  return await sql<SyncRow[]>`
    SELECT id, source, seq, from_revision, to_revision, outcome, counts, changes, issues, ignored, digest, actor, occurred_at, duration_ms
    FROM sync_history WHERE source = ${source} ORDER BY seq DESC LIMIT ${limit}`
}

/** Kind → objects deleted since `since` and after the last approved deletion. */
export async function recentDeletions(sql: Executor, since: Date): Promise<Map<string, number>> {
  const rows = await sql<{ kind: string; deleted: number }[]>`
    SELECT resource_type AS kind, count(*) AS deleted FROM events
    WHERE event_name = 'stateward.object.deleting' AND occurred_at >= ${since}
      AND occurred_at > coalesce((SELECT max(approved_at) FROM deletion_approvals), '-infinity')
    GROUP BY resource_type`
  return new Map(rows.map((row) => [row.kind, row.deleted]))
}

export async function approvedDeletions(sql: Executor): Promise<Set<string>> {
  const rows = await sql<{ digest: string }[]>`SELECT digest FROM deletion_approvals`
  return new Set(rows.map((row) => row.digest))
}

export async function approveDeletions(
  tx: Tx,
  row: { readonly revision: string; readonly digest: string; readonly actor: string; readonly approved_at: Date },
): Promise<void> {
  await tx`INSERT INTO deletion_approvals ${tx(row)} ON CONFLICT (revision, digest) DO NOTHING`
}
