import type { Executor } from '../database.ts'
import type { LoggedEvent } from '../ports.ts'
import { type EventRow, loggedEvent } from './events.ts'

/** An event and what it is about, as people name that. */
export interface ObjectEvent {
  readonly event: LoggedEvent
  readonly about: {
    readonly kind: string
    readonly namespace: string
    readonly name: string
    readonly uid: string
  } | null
}

interface ObjectEventRow extends EventRow {
  readonly about_kind: string | null
  readonly about_namespace: string
  readonly about_name: string
  readonly about_uid: string
}

/** Which events; `uid` also finds those that name their object. */
export type ObjectEventFilter =
  | { readonly ids: readonly string[] }
  | { readonly since: Date; readonly before: number | null; readonly limit: number }
  | {
      readonly about: {
        readonly kind: string | null
        readonly namespace: string
        readonly name: string | null
        readonly uid: string | null
      }
      readonly limit: number
    }

/** Events with the objects they are about, the newest first. */
export async function objectEvents(sql: Executor, filter: ObjectEventFilter): Promise<ObjectEvent[]> {
  const rows = await sql<ObjectEventRow[]>`
    SELECT e.seq, e.event_id, e.event_name, e.occurred_at, e.env_id, e.actor, e.correlation_id, e.run_id, e.step_id,
           e.resource_type, e.resource_id, e.data,
           CASE WHEN r.run_id IS NOT NULL THEN 'Run' ELSE o.kind END AS about_kind,
           coalesce(r.namespace, o.namespace, '') AS about_namespace, coalesce(r.name, o.name, '') AS about_name,
           coalesce(r.run_id, o.uid)::text AS about_uid
    FROM events e
    LEFT JOIN v_runs r ON r.run_id = e.run_id
    LEFT JOIN LATERAL (
      SELECT uid, kind, namespace, name FROM v_objects
      WHERE e.run_id IS NULL AND kind = e.resource_type
        AND (uid::text = e.resource_id
             OR (namespace = split_part(e.resource_id, '/', 1) AND name = split_part(e.resource_id, '/', 2)))
      LIMIT 1
    ) o ON true
    WHERE ${conditionOf(sql, filter)}
    ORDER BY e.seq DESC
    ${'limit' in filter ? sql`LIMIT ${filter.limit}` : sql``}`
  return rows.map((row) => ({
    event: loggedEvent(row),
    about:
      row.about_kind === null
        ? null
        : { kind: row.about_kind, namespace: row.about_namespace, name: row.about_name, uid: row.about_uid },
  }))
}

function conditionOf(sql: Executor, filter: ObjectEventFilter) {
  if ('ids' in filter) return sql`e.event_id = ANY(${[...filter.ids]}::uuid[])`
  if ('since' in filter)
    return sql`e.occurred_at >= ${filter.since} ${filter.before === null ? sql`` : sql`AND e.seq < ${filter.before}`}`
  const { kind, namespace, name, uid } = filter.about
  // Each arm has an index: of runs by their id, of objects by uid and by name.
  return sql`(
    e.run_id IN (SELECT run_id FROM v_runs
                 WHERE (${kind}::text IS NULL OR ${kind} = 'Run') AND
                       (run_id::text = ${uid} OR (namespace = ${namespace} AND name = ${name})))
    OR (e.resource_type, e.resource_id) IN (
      SELECT kind, unnest(ARRAY[uid::text, namespace || '/' || name]) FROM v_objects
      WHERE (${kind}::text IS NULL OR kind = ${kind})
        AND (uid::text = ${uid} OR (namespace = ${namespace} AND name = ${name})))
    OR (e.resource_type <> 'Run' AND e.resource_type = ${kind} AND e.resource_id = ${uid}))`
}
