import type { Executor } from '../database.ts'
import type { ObjectRow } from './objects-read.ts'

/** Agents a reference may mean: by uid, by name, or by `agentId`, of which the last is unique in no database. */
export async function agentsByReference(
  sql: Executor,
  reference: { readonly text: string; readonly uid: string | null; readonly namespace: string | null },
): Promise<ObjectRow[]> {
  return sql<ObjectRow[]>`
    SELECT uid, kind, namespace, name, generation, resource_version, labels, annotations, spec, status, last_applied_revision,
           created_at, deletion_timestamp
    FROM v_objects
    WHERE kind = 'Agent' AND (uid = ${reference.uid} OR name = ${reference.text} OR spec ->> 'agentId' = ${reference.text})
      ${reference.namespace === null ? sql`` : sql`AND namespace = ${reference.namespace}`}
    ORDER BY (name = ${reference.text}) DESC, namespace LIMIT 10`
}
