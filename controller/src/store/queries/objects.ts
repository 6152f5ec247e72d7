import type { ObjectStatus } from '../../kinds/resource.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

/** A row of `objects`: what was last accepted, and its status. */
export interface ObjectRow {
  readonly uid: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly source: string
  readonly generation: number
  readonly resource_version: number
  readonly spec_resource_version: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: JsonObject
  readonly spec_digest: string
  readonly effective_digest: string
  readonly origin_file: string
  readonly origin_document: number
  readonly origin_oid: string
  readonly last_applied_revision: string
  readonly status: ObjectStatus
  readonly created_at: Date
  readonly deletion_timestamp: Date | null
}

/** How many rows are held as they came from the server, beside what is made of them. */
const PAGE = 500

const columns = (sql: Executor) => sql`
  uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels, annotations, spec, spec_digest,
  effective_digest, origin_file, origin_document, origin_oid, last_applied_revision, status, created_at, deletion_timestamp`

/** Everything a controller was told to keep, page by page; read once at its start. */
export function loadObjects(sql: Executor): AsyncIterable<ObjectRow[]> {
  return sql<ObjectRow[]>`SELECT ${columns(sql)} FROM objects`.cursor(PAGE)
}

/** Those of the uids that are there. */
export async function objectsOf(sql: Executor, uids: readonly string[]): Promise<ObjectRow[]> {
  return sql<ObjectRow[]>`SELECT ${columns(sql)} FROM objects WHERE uid = ANY(${[...uids]}::uuid[])`
}

export async function objectsOfKind(sql: Executor, kind: string): Promise<ObjectRow[]> {
  return await sql<ObjectRow[]>`
    SELECT uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels, annotations, spec,
           spec_digest, effective_digest, origin_file, origin_document, origin_oid, last_applied_revision, status,
           created_at, deletion_timestamp
    FROM objects WHERE kind = ${kind}`
}

/** One statement whatever the number of rows. Status, uid and creation time of a known object stay as they are. */
export async function upsertObjects(tx: Tx, rows: readonly ObjectRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx`
    INSERT INTO objects (uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels, annotations,
                         spec, spec_digest, effective_digest, origin_file, origin_document, origin_oid, last_applied_revision, created_at)
    SELECT uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels::jsonb, annotations::jsonb,
           spec::jsonb, spec_digest, effective_digest, origin_file, origin_document, origin_oid, revision, created_at
    FROM unnest(
      ${rows.map((row) => row.uid)}::uuid[], ${rows.map((row) => row.kind)}::text[], ${rows.map((row) => row.namespace)}::text[],
      ${rows.map((row) => row.name)}::text[], ${rows.map((row) => row.source)}::text[], ${rows.map((row) => row.generation)}::bigint[],
      ${rows.map((row) => row.resource_version)}::bigint[], ${rows.map((row) => row.spec_resource_version)}::bigint[],
      ${rows.map((row) => JSON.stringify(row.labels))}::text[], ${rows.map((row) => JSON.stringify(row.annotations))}::text[],
      ${rows.map((row) => JSON.stringify(row.spec))}::text[], ${rows.map((row) => row.spec_digest)}::text[],
      ${rows.map((row) => row.effective_digest)}::text[], ${rows.map((row) => row.origin_file)}::text[],
      ${rows.map((row) => row.origin_document)}::integer[], ${rows.map((row) => row.origin_oid)}::text[],
      ${rows.map((row) => row.last_applied_revision)}::text[], ${rows.map((row) => row.created_at.toISOString())}::text[]::timestamptz[]
    ) AS r (uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels, annotations, spec,
            spec_digest, effective_digest, origin_file, origin_document, origin_oid, revision, created_at)
    ON CONFLICT (kind, namespace, name) DO UPDATE SET
      source = excluded.source, generation = excluded.generation, resource_version = excluded.resource_version,
      spec_resource_version = excluded.spec_resource_version, labels = excluded.labels, annotations = excluded.annotations,
      spec = excluded.spec, spec_digest = excluded.spec_digest, effective_digest = excluded.effective_digest,
      origin_file = excluded.origin_file, origin_document = excluded.origin_document, origin_oid = excluded.origin_oid,
      last_applied_revision = excluded.last_applied_revision`
}

/** Documents that moved, or whose file changed around them: the object itself did not change; a cluster may count on all the same. */
export async function moveObjects(
  tx: Tx,
  rows: readonly Pick<ObjectRow, 'uid' | 'origin_file' | 'origin_document' | 'origin_oid' | 'generation'>[],
): Promise<void> {
  if (rows.length === 0) return
  await tx`
    UPDATE objects SET origin_file = r.file, origin_document = r.document, origin_oid = r.oid, generation = r.generation
    FROM unnest(${rows.map((row) => row.uid)}::uuid[], ${rows.map((row) => row.origin_file)}::text[],
                ${rows.map((row) => row.origin_document)}::integer[], ${rows.map((row) => row.origin_oid)}::text[],
                ${rows.map((row) => row.generation)}::bigint[]) AS r (uid, file, document, oid, generation)
    WHERE objects.uid = r.uid`
}

/** Removed from Git: the rows stay until what they stand for is confirmed gone. */
export async function markDeleting(
  tx: Tx,
  rows: readonly { readonly uid: string; readonly resource_version: number }[],
  at: Date,
): Promise<void> {
  if (rows.length === 0) return
  await tx`
    UPDATE objects SET deletion_timestamp = ${at}, resource_version = r.version
    FROM unnest(${rows.map((row) => row.uid)}::uuid[], ${rows.map((row) => row.resource_version)}::bigint[]) AS r (uid, version)
    WHERE objects.uid = r.uid AND deletion_timestamp IS NULL`
}

/** Confirmed gone. */
export async function removeObject(tx: Tx, uid: string): Promise<void> {
  await tx`DELETE FROM objects WHERE uid = ${uid} AND deletion_timestamp IS NOT NULL`
}

export interface StatusRow {
  readonly uid: string
  readonly status: ObjectStatus
  readonly resource_version: number
}

export async function saveStatuses(tx: Tx, rows: readonly StatusRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx`
    UPDATE objects SET status = r.status::jsonb, resource_version = r.version
    FROM unnest(${rows.map((row) => row.uid)}::uuid[], ${rows.map((row) => JSON.stringify(row.status))}::text[],
                ${rows.map((row) => row.resource_version)}::bigint[]) AS r (uid, status, version)
    WHERE objects.uid = r.uid`
}
