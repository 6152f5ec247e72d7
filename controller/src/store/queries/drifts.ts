import type { Json } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

/** Where live state differs from Git at this moment; the row goes when the difference does. */
export interface DriftRow {
  readonly id: string
  readonly object_uid: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** What sees it. */
  readonly source: string
  /** What differs: a pointer into the object, or a path of the state repo. Unique for object and source. */
  readonly field: string
  /** Null = it is not there. */
  readonly live: Json | null
  readonly declared: Json | null
  readonly detail: string
  readonly set_by: string | null
  readonly since: Date
  /** Somebody asked for what Git says. */
  readonly enforcing: boolean
  /** Of the proposal that takes over the live value. */
  readonly branch: string | null
  readonly commit: string | null
}

export async function loadDrifts(sql: Executor): Promise<DriftRow[]> {
  return sql<DriftRow[]>`SELECT * FROM drifts ORDER BY id`
}

export async function driftById(sql: Executor, id: string): Promise<DriftRow | null> {
  const [row] = await sql<DriftRow[]>`SELECT * FROM drifts WHERE id = ${id}`
  return row ?? null
}

export interface DriftFilter {
  readonly kind: string | null
  readonly namespace: string | null
  readonly name: string | null
  readonly source: string | null
}

/** By object, then in the order of their finding. */
export async function pageDrifts(
  sql: Executor,
  { kind, namespace, name, source }: DriftFilter,
  page: {
    readonly after: Pick<DriftRow, 'kind' | 'namespace' | 'name' | 'id'> | null
    readonly limit: number
  },
): Promise<DriftRow[]> {
  const { after } = page
  return sql<DriftRow[]>`
    SELECT * FROM drifts
    WHERE (${kind}::text IS NULL OR kind = ${kind}) AND (${namespace}::text IS NULL OR namespace = ${namespace})
      AND (${name}::text IS NULL OR name = ${name}) AND (${source}::text IS NULL OR source = ${source})
      AND (${after === null} OR (kind, namespace, name, id)
        > (${after?.kind ?? ''}, ${after?.namespace ?? ''}, ${after?.name ?? ''}, ${after?.id ?? null}::uuid))
    ORDER BY kind, namespace, name, id LIMIT ${page.limit}`
}

/** Found, or seen again with another value. */
export async function saveDrift(tx: Tx, row: DriftRow): Promise<void> {
  await tx`
    INSERT INTO drifts ${tx({ ...row, live: tx.json(row.live as never), declared: tx.json(row.declared as never) } as never)}
    ON CONFLICT ON CONSTRAINT drifts_field DO UPDATE SET live = excluded.live, declared = excluded.declared,
      detail = excluded.detail, set_by = excluded.set_by`
}

export async function removeDrift(tx: Tx, id: string): Promise<void> {
  await tx`DELETE FROM drifts WHERE id = ${id}`
}

export async function markEnforcing(tx: Tx, id: string): Promise<void> {
  await tx`UPDATE drifts SET enforcing = true WHERE id = ${id}`
}

export async function markAdopted(
  tx: Tx,
  id: string,
  proposal: { readonly branch: string | null; readonly commit: string },
): Promise<void> {
  await tx`UPDATE drifts SET branch = ${proposal.branch}, commit = ${proposal.commit} WHERE id = ${id}`
}
