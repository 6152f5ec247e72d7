import type { Executor, Tx } from '../database.ts'

export interface WorkEdge {
  readonly from_id: string
  readonly relation: string
  readonly to_kind: 'WorkItem' | 'Run'
  readonly to_id: string
  readonly created_by: string
  readonly created_at: Date
}

/** An edge of an item, seen from it; `name` null when the other end is gone. */
export interface WorkEdgeView {
  readonly direction: 'out' | 'in'
  readonly relation: string
  readonly kind: 'WorkItem' | 'Run'
  readonly id: string
  readonly name: string | null
  readonly state: string | null
}

/** Edges are changed one after the other, so that two of them never close a circle together. Held to the end of the transaction. */
export async function lockWorkGraph(tx: Tx): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtext('stateward.work_edges'))`
}

/** False when it is there already. */
export async function insertWorkEdge(tx: Tx, edge: WorkEdge): Promise<boolean> {
  return (await tx`INSERT INTO work_edges ${tx({ ...edge })} ON CONFLICT DO NOTHING`).count === 1
}

/** False when it was not there. */
export async function deleteWorkEdge(tx: Tx, edge: Pick<WorkEdge, 'from_id' | 'relation' | 'to_id'>): Promise<boolean> {
  const { from_id, relation, to_id } = edge
  return (
    (await tx`DELETE FROM work_edges WHERE from_id = ${from_id} AND relation = ${relation} AND to_id = ${to_id}`)
      .count === 1
  )
}

/** Whether `to` can be reached from `from` along edges of one relation. */
export async function isReachable(tx: Tx, from: string, relation: string, to: string): Promise<boolean> {
  const rows = await tx`
    WITH RECURSIVE reached(id) AS (
      SELECT ${from}::uuid
      UNION
      SELECT e.to_id FROM work_edges e JOIN reached r ON e.from_id = r.id WHERE e.relation = ${relation}
    ) SELECT 1 FROM reached WHERE id = ${to} LIMIT 1`
  return rows.length > 0
}

/** Whether `item` is `part` itself or one of what `part` is part of. */
export async function isPartOf(tx: Tx, part: string, item: string): Promise<boolean> {
  const rows = await tx`
    WITH RECURSIVE above(id, parent_id) AS (
      SELECT item_id, parent_id FROM work_items WHERE item_id = ${part}
      UNION
      SELECT w.item_id, w.parent_id FROM work_items w JOIN above a ON w.item_id = a.parent_id
    ) SELECT 1 FROM above WHERE id = ${item} LIMIT 1`
  return rows.length > 0
}

/** Names of what an item depends on that is not done, at most 20. */
export async function unfinishedDependencies(tx: Tx, itemId: string): Promise<string[]> {
  const rows = await tx<{ name: string }[]>`
    SELECT d.name FROM work_edges e JOIN work_items d ON d.item_id = e.to_id
    WHERE e.from_id = ${itemId} AND e.relation = 'depends_on' AND d.phase <> 'done' ORDER BY d.name LIMIT 20`
  return rows.map(({ name }) => name)
}

/** Edges of an item, those that lead from it first; at most 1,000. */
export async function edgesOf(sql: Executor, itemId: string): Promise<readonly WorkEdgeView[]> {
  return sql<WorkEdgeView[]>`
    SELECT 'out' AS direction, e.relation, e.to_kind AS kind, e.to_id AS id, coalesce(w.name, r.name) AS name,
           coalesce(w.state, r.status) AS state
    FROM work_edges e LEFT JOIN work_items w ON w.item_id = e.to_id AND e.to_kind = 'WorkItem'
      LEFT JOIN runs r ON r.run_id = e.to_id AND e.to_kind = 'Run'
    WHERE e.from_id = ${itemId}
    UNION ALL
    SELECT 'in', e.relation, 'WorkItem', e.from_id, w.name, w.state
    FROM work_edges e JOIN work_items w ON w.item_id = e.from_id WHERE e.to_id = ${itemId}
    ORDER BY direction DESC, relation, name LIMIT 1000`
}
