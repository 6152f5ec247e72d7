import type { Executor } from '../database.ts'

export interface NamespaceRow {
  readonly namespace: string
  /** When the first object in it was made. */
  readonly since: Date
}

/** The namespaces that objects stand in, and `default`, by name. */
export async function namespaceRows(sql: Executor): Promise<readonly NamespaceRow[]> {
  return sql<NamespaceRow[]>`
    SELECT namespace, min(created_at) AS since FROM (
      SELECT namespace, created_at FROM v_objects WHERE namespace <> ''
      UNION ALL SELECT 'default', coalesce(min(created_at), to_timestamp(0)) FROM v_objects
    ) AS placed
    GROUP BY namespace ORDER BY namespace`
}
