import type { JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

export interface ArtifactRow {
  readonly artifact_id: string
  readonly name: string
  readonly kind: string
  readonly content_type: string
  readonly byte_length: number | null
  /** Null until the bytes have come. */
  readonly sha256: string | null
  readonly created_at: Date
  readonly created_by: string
  readonly run_id: string | null
  readonly step_id: string | null
  readonly metadata: JsonObject
  readonly is_run_log: boolean
}

const columns = (sql: Executor) => sql`
  artifact_id, name, kind, content_type, byte_length, sha256, created_at, created_by, run_id, step_id, metadata, is_run_log`

/** False when it is there already, or the run has its log. */
export async function insertArtifact(tx: Executor, row: ArtifactRow): Promise<boolean> {
  const result = await tx`
    INSERT INTO artifacts ${tx({ ...row, metadata: tx.json(row.metadata) })}
    ON CONFLICT DO NOTHING`
  return result.count === 1
}

/** The kind of artifacts that hold what was too large for an event. */
export const VALUE_KIND = 'value'

/** Artifacts that hold large values of a run, one for each digest. */
export async function valueArtifacts(tx: Tx, runId: string): Promise<ArtifactRow[]> {
  return tx<ArtifactRow[]>`
    SELECT DISTINCT ON (sha256) ${columns(tx)} FROM artifacts
    WHERE run_id = ${runId} AND kind = ${VALUE_KIND} AND sha256 IS NOT NULL`
}

/** Rows of artifacts whose bytes are kept already. */
export async function copyArtifacts(tx: Tx, rows: readonly ArtifactRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx`INSERT INTO artifacts ${tx(rows.map((row) => ({ ...row, metadata: tx.json(row.metadata) })))}`
}

/** Locks the row to the end of the transaction; null when it is not there. */
export async function lockArtifact(tx: Tx, artifactId: string): Promise<ArtifactRow | null> {
  const [row] = await tx<ArtifactRow[]>`
    SELECT ${columns(tx)} FROM artifacts WHERE artifact_id = ${artifactId} FOR UPDATE`
  return row ?? null
}

export async function setArtifactContent(
  tx: Tx,
  artifactId: string,
  content: { readonly sha256: string; readonly bytes: number },
): Promise<void> {
  await tx`
    UPDATE artifacts SET sha256 = ${content.sha256}, byte_length = ${content.bytes} WHERE artifact_id = ${artifactId}`
}

/**
 * Counts bytes in and locks them to the end of the transaction, so that nobody removes them meanwhile. False when they
 * would pass `limit`, the sum of all bytes that are kept.
 */
export async function keepContent(
  tx: Tx,
  content: { readonly sha256: string; readonly bytes: number },
  limit: number,
): Promise<boolean> {
  // An update that changes nothing, for its lock: whoever removes these bytes is waited for, and they are there again.
  const known = await tx`
    UPDATE artifact_contents SET byte_length = byte_length WHERE sha256 = ${content.sha256}`
  if (known.count === 1) return true
  const room = await tx`
    UPDATE artifact_usage SET bytes = bytes + ${content.bytes} WHERE bytes + ${content.bytes} <= ${limit}`
  if (room.count === 0) return false
  const [added] = await tx<{ is_new: boolean }[]>`
    INSERT INTO artifact_contents (sha256, byte_length) VALUES (${content.sha256}, ${content.bytes})
    ON CONFLICT (sha256) DO UPDATE SET byte_length = excluded.byte_length RETURNING xmax = 0 AS is_new`
  // Somebody else brought the same bytes at the same time.
  if (added?.is_new === false) await tx`UPDATE artifact_usage SET bytes = bytes - ${content.bytes}`
  return true
}

export async function getArtifact(sql: Executor, artifactId: string): Promise<ArtifactRow | null> {
  const [row] = await sql<ArtifactRow[]>`SELECT ${columns(sql)} FROM artifacts WHERE artifact_id = ${artifactId}`
  return row ?? null
}

/** A page of artifacts, the newest first. */
export async function pageArtifacts(
  sql: Executor,
  page: {
    readonly runId: string | null
    readonly kind: string | null
    readonly stepId?: string | null
    /** A part of the name, in any case. */
    readonly text?: string | null
    readonly after: { readonly createdAt: Date; readonly artifactId: string } | null
    readonly limit: number
  },
): Promise<ArtifactRow[]> {
  return sql<ArtifactRow[]>`
    SELECT ${columns(sql)} FROM artifacts
    WHERE true
      ${page.runId === null ? sql`` : sql`AND run_id = ${page.runId}`}
      ${page.kind === null ? sql`` : sql`AND kind = ${page.kind}`}
      ${page.stepId == null ? sql`` : sql`AND step_id = ${page.stepId}`}
      ${page.text == null ? sql`` : sql`AND name ILIKE ${`%${page.text.replaceAll(/[\\%_]/g, '\\$&')}%`}`}
      ${page.after === null ? sql`` : sql`AND (created_at, artifact_id) < (${page.after.createdAt}, ${page.after.artifactId}::uuid)`}
    ORDER BY created_at DESC, artifact_id DESC LIMIT ${page.limit}`
}

/** The log of a run that was kept at its end, with the steps that wrote in it. */
export async function runLogArtifact(
  sql: Executor,
  runId: string,
): Promise<{ readonly artifact_id: string; readonly steps: readonly string[] } | null> {
  const [row] = await sql<{ artifact_id: string; steps: string[] | null }[]>`
    SELECT artifact_id, metadata->'steps' AS steps FROM artifacts WHERE run_id = ${runId} AND is_run_log`
  return row === undefined ? null : { artifact_id: row.artifact_id, steps: row.steps ?? [] }
}

/** Removes artifacts made before `time`, at most `limit`. Their bytes are another matter. */
export async function deleteArtifactsBefore(tx: Tx, time: Date, limit: number): Promise<ArtifactRow[]> {
  return tx<ArtifactRow[]>`
    DELETE FROM artifacts WHERE artifact_id IN (
      SELECT artifact_id FROM artifacts WHERE created_at < ${time} ORDER BY created_at LIMIT ${limit})
    RETURNING ${columns(tx)}`
}

/** Bytes that no artifact has any more. */
export async function unusedContents(sql: Executor, limit: number): Promise<string[]> {
  const rows = await sql<{ sha256: string }[]>`
    SELECT sha256 FROM artifact_contents c
    WHERE NOT EXISTS (SELECT FROM artifacts a WHERE a.sha256 = c.sha256) LIMIT ${limit}`
  return rows.map(({ sha256 }) => sha256)
}

/** Locks bytes to the end of the transaction. False when they are gone, or some artifact has them after all. */
export async function lockUnusedContent(tx: Tx, sha256: string): Promise<boolean> {
  const locked = await tx`SELECT 1 FROM artifact_contents WHERE sha256 = ${sha256} FOR UPDATE`
  if (locked.length === 0) return false
  // A statement of its own: it sees what was committed while the lock was waited for.
  const used = await tx`SELECT 1 FROM artifacts WHERE sha256 = ${sha256} LIMIT 1`
  return used.length === 0
}

export async function forgetContent(tx: Tx, sha256: string): Promise<void> {
  await tx`
    WITH gone AS (DELETE FROM artifact_contents WHERE sha256 = ${sha256} RETURNING byte_length)
    UPDATE artifact_usage SET bytes = bytes - gone.byte_length FROM gone`
}
