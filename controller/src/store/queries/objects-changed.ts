import type { Executor } from '../database.ts'

/** Names of events by what they say of the object they are about. */
export interface ObjectEventNames {
  readonly changed: readonly string[]
  readonly gone: string
  readonly overridden: readonly string[]
}

export interface ChangedObjects {
  readonly uids: readonly string[]
  readonly gone: readonly {
    readonly uid: string
    readonly kind: string
    readonly namespace: string
    readonly name: string
  }[]
  /** Some override began or ended. */
  readonly overrides: boolean
}

/** What the log says of objects in (after, upTo]. */
export async function changedObjects(
  sql: Executor,
  names: ObjectEventNames,
  after: number,
  upTo: number,
): Promise<ChangedObjects> {
  const rows = await sql<
    { event_name: string; uid: string | null; kind: string | null; namespace: string | null; name: string | null }[]
  >`
    SELECT DISTINCT event_name, resource_id AS uid, resource_type AS kind,
           CASE WHEN event_name = ${names.gone} THEN data ->> 'namespace' END AS namespace,
           CASE WHEN event_name = ${names.gone} THEN data ->> 'name' END AS name
    FROM events
    WHERE seq > ${after} AND seq <= ${upTo} AND event_name = ANY(${[...names.changed, names.gone, ...names.overridden]}::text[])`
  return {
    uids: [
      ...new Set(
        rows.flatMap(({ event_name, uid }) => (uid !== null && names.changed.includes(event_name) ? [uid] : [])),
      ),
    ],
    gone: rows.flatMap(({ event_name, uid, kind, namespace, name }) =>
      event_name === names.gone ? [{ uid: uid!, kind: kind!, namespace: namespace!, name: name! }] : [],
    ),
    overrides: rows.some(({ event_name }) => names.overridden.includes(event_name)),
  }
}
