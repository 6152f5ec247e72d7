import type { Condition } from '../../kinds/conditions.ts'
import type { Json } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** An accepted object without its spec: what a list of everything shows. */
export interface ListedObject {
  readonly uid: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly source: string
  readonly generation: number
  readonly resource_version: number
  readonly labels: Readonly<Record<string, string>>
  readonly conditions: readonly Condition[] | null
  readonly origin_file: string
  readonly origin_document: number
  readonly last_applied_revision: string
  readonly created_at: Date
  readonly deletion_timestamp: Date | null
}

export interface ObjectListPage {
  readonly kinds: readonly string[] | null
  readonly namespace: string | null
  readonly source: string | null
  readonly file: string | null
  /** `Unknown` = also those that nobody has said anything of. */
  readonly ready: 'True' | 'False' | 'Unknown' | null
  /** Any condition of this type is True. */
  readonly condition: string | null
  /** A part of the name, the kind or the file, in any case. */
  readonly text: string | null
  readonly after: { readonly kind: string; readonly namespace: string; readonly name: string } | null
  readonly limit: number
}

const conditionOf = (sql: Executor, type: string) => sql`
  (SELECT c ->> 'status' FROM jsonb_array_elements(CASE jsonb_typeof(status -> 'conditions') WHEN 'array' THEN status -> 'conditions' ELSE '[]' END) c
   WHERE c ->> 'type' = ${type} LIMIT 1)`

/** A page of all objects whatever their kind, by kind, namespace and name. */
export async function pageListedObjects(sql: Executor, page: ObjectListPage): Promise<readonly ListedObject[]> {
  const like = page.text === null ? null : `%${page.text.replaceAll(/[\\%_]/g, '\\$&')}%`
  return sql<ListedObject[]>`
    SELECT uid, kind, namespace, name, source, generation, resource_version, labels, status -> 'conditions' AS conditions,
           origin_file, origin_document, last_applied_revision, created_at, deletion_timestamp
    FROM v_objects
    WHERE true
      ${page.kinds === null ? sql`` : sql`AND kind = ANY(${[...page.kinds]})`}
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.source === null ? sql`` : sql`AND source = ${page.source}`}
      ${page.file === null ? sql`` : sql`AND origin_file = ${page.file}`}
      ${page.ready === null ? sql`` : sql`AND coalesce(${conditionOf(sql, 'Ready')}, 'Unknown') = ${page.ready}`}
      ${page.condition === null ? sql`` : sql`AND ${conditionOf(sql, page.condition)} = 'True'`}
      ${like === null ? sql`` : sql`AND (name ILIKE ${like} OR kind ILIKE ${like} OR origin_file ILIKE ${like})`}
      ${page.after === null ? sql`` : sql`AND (kind, namespace, name) > (${page.after.kind}, ${page.after.namespace}, ${page.after.name})`}
    ORDER BY kind, namespace, name
    LIMIT ${page.limit}`
}

/** Where the accepted document of an object stands; null when it is gone. */
export async function originOfObject(
  sql: Executor,
  uid: string,
): Promise<{ readonly source: string; readonly file: string; readonly document: number; readonly oid: string } | null> {
  const [row] = await sql<{ source: string; file: string; document: number; oid: string }[]>`
    SELECT source, origin_file AS file, origin_document AS document, origin_oid AS oid FROM v_objects WHERE uid = ${uid}`
  return row ?? null
}

/** What one sync did to an object. */
export interface ObjectChangeRow {
  readonly sync_id: string
  readonly seq: number
  readonly source: string
  readonly from_revision: string | null
  readonly to_revision: string
  readonly outcome: string
  readonly actor: string
  readonly occurred_at: Date
  /** As the ChangeSet had it. */
  readonly change: Json
}

/** The syncs that did something to an object, the newest first; `before` = the number the page starts behind. */
export async function pageObjectHistory(
  sql: Executor,
  ref: { readonly kind: string; readonly namespace: string; readonly name: string },
  page: { readonly before: number | null; readonly limit: number },
): Promise<readonly ObjectChangeRow[]> {
  const { kind, namespace, name } = ref
  return sql<ObjectChangeRow[]>`
    SELECT id AS sync_id, seq, source, from_revision, to_revision, outcome, actor, occurred_at,
           jsonb_path_query_first(changes, '$[*] ? (@.kind == $kind && @.namespace == $namespace && @.name == $name)',
                                  ${sql.json({ kind, namespace, name })}) AS change
    FROM sync_history
    WHERE changes @> ${sql.json([{ kind, namespace, name }])}
      ${page.before === null ? sql`` : sql`AND seq < ${page.before}`}
    ORDER BY seq DESC LIMIT ${page.limit}`
}

/** What was set live on an object, ahead of Git. */
export interface ListedOverride {
  readonly path: string
  readonly value: Json
  readonly base: Json | null
  readonly actor: string
  readonly reason: string | null
  readonly created_at: Date
  readonly expires_at: Date | null
}

export async function overridesOf(
  sql: Executor,
  ref: { readonly kind: string; readonly namespace: string; readonly name: string },
): Promise<readonly ListedOverride[]> {
  return sql<ListedOverride[]>`
    SELECT path, value, base, actor, reason, created_at, expires_at FROM overrides
    WHERE kind = ${ref.kind} AND namespace = ${ref.namespace} AND name = ${ref.name} ORDER BY path`
}
