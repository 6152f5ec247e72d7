import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** An object as readers see it (view `v_objects`). */
export interface ObjectRow {
  readonly uid: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly generation: number
  readonly resource_version: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: JsonObject
  readonly status: Readonly<Record<string, unknown>>
  readonly last_applied_revision: string
  readonly created_at: Date
  readonly deletion_timestamp: Date | null
}

export interface ObjectPage {
  readonly kind: string
  /** null = all. */
  readonly namespace: string | null
  readonly name: string | null
  /** Starts behind this (namespace, name). */
  readonly after: { readonly namespace: string; readonly name: string } | null
  /** Labels they have, each with this value; left out: whatever they have. */
  readonly labels?: Readonly<Record<string, string>>
  readonly limit: number
}

/** A page of a kind's objects, by namespace and name. */
export async function pageObjects(sql: Executor, page: ObjectPage): Promise<readonly ObjectRow[]> {
  return sql<ObjectRow[]>`
    SELECT uid, kind, namespace, name, generation, resource_version, labels, annotations, spec, status, last_applied_revision,
           created_at, deletion_timestamp
    FROM v_objects
    WHERE kind = ${page.kind}
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.name === null ? sql`` : sql`AND name = ${page.name}`}
      ${Object.keys(page.labels ?? {}).length === 0 ? sql`` : sql`AND labels @> ${sql.json(page.labels!)}`}
      ${page.after === null ? sql`` : sql`AND (namespace, name) > (${page.after.namespace}, ${page.after.name})`}
    ORDER BY namespace, name
    LIMIT ${page.limit}`
}

export async function objectsByUid(sql: Executor, uids: readonly string[]): Promise<readonly ObjectRow[]> {
  return sql<ObjectRow[]>`
    SELECT uid, kind, namespace, name, generation, resource_version, labels, annotations, spec, status, last_applied_revision,
           created_at, deletion_timestamp
    FROM v_objects WHERE uid = ANY(${[...uids]}::uuid[])`
}

/** Objects of a kind whose version is above a number of the log, by namespace and name. */
export async function objectsChangedSince(sql: Executor, kind: string, seq: number): Promise<readonly ObjectRow[]> {
  return sql<ObjectRow[]>`
    SELECT uid, kind, namespace, name, generation, resource_version, labels, annotations, spec, status, last_applied_revision,
           created_at, deletion_timestamp
    FROM v_objects WHERE kind = ${kind} AND resource_version > ${seq}
    ORDER BY namespace, name`
}

/** How many objects of a kind there are, and their generations added up. */
export async function objectTotals(
  sql: Executor,
  kind: string,
): Promise<{ readonly count: number; readonly generations: number }> {
  const [row] = await sql<{ count: number; generations: number }[]>`
    SELECT count(*) AS count, coalesce(sum(generation), 0)::bigint AS generations FROM v_objects WHERE kind = ${kind}`
  return row!
}

/** The generation of each object of a kind, by uid. */
export async function objectGenerations(sql: Executor, kind: string): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ uid: string; generation: number }[]>`
    SELECT uid, generation FROM v_objects WHERE kind = ${kind}`
  return new Map(rows.map(({ uid, generation }) => [uid, generation]))
}

/** Number of the event by which the spec of an object last changed; null when it is gone. */
export async function specVersionOf(sql: Executor, uid: string): Promise<number | null> {
  const [row] = await sql<
    { version: number }[]
  >`SELECT spec_resource_version AS version FROM objects WHERE uid::text = ${uid}`
  return row?.version ?? null
}

/** One object by name, or by the id its older format had (annotation `stateward.dev/v0-id`). */
export async function findObject(
  sql: Executor,
  ref: { readonly kind: string; readonly namespace: string; readonly name: string },
): Promise<ObjectRow | null> {
  const [row] = await sql<ObjectRow[]>`
    SELECT uid, kind, namespace, name, generation, resource_version, labels, annotations, spec, status, last_applied_revision,
           created_at, deletion_timestamp
    FROM v_objects
    WHERE kind = ${ref.kind} AND namespace = ${ref.namespace}
      AND (name = ${ref.name} OR annotations ->> 'stateward.dev/v0-id' = ${ref.name})
    ORDER BY (name = ${ref.name}) DESC
    LIMIT 1`
  return row ?? null
}
