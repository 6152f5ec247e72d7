import type { Json } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

/** What an operator set at once, ahead of the commit that says the same: it wins over Git until it ends. */
export interface OverrideRow {
  readonly id: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Pointer into the spec: `/suspend`. */
  readonly path: string
  readonly value: Json
  /** Git's value when it was set; null when the field was absent. */
  readonly base: Json | null
  readonly actor: string
  readonly reason: string | null
  readonly created_at: Date
  readonly expires_at: Date | null
  /** The intervention it belongs to; null of one that was set on the object itself. */
  readonly intervention_id: string | null
}

export async function loadOverrides(sql: Executor): Promise<OverrideRow[]> {
  return await sql<OverrideRow[]>`
    SELECT id, kind, namespace, name, path, value, base, actor, reason, created_at, expires_at, intervention_id FROM overrides`
}

/** One override a path: a later one replaces it. */
export async function saveOverride(tx: Tx, row: OverrideRow): Promise<void> {
  await tx`
    INSERT INTO overrides (id, kind, namespace, name, path, value, base, actor, reason, created_at, expires_at, intervention_id)
    VALUES (${row.id}, ${row.kind}, ${row.namespace}, ${row.name}, ${row.path}, ${tx.json(row.value as never)}, ${tx.json(row.base as never)},
            ${row.actor}, ${row.reason}, ${row.created_at}, ${row.expires_at}, ${row.intervention_id})
    ON CONFLICT (kind, namespace, name, path) DO UPDATE SET id = excluded.id, value = excluded.value, base = excluded.base,
      actor = excluded.actor, reason = excluded.reason, created_at = excluded.created_at, expires_at = excluded.expires_at,
      intervention_id = excluded.intervention_id`
}

export async function removeOverride(tx: Tx, id: string): Promise<void> {
  await tx`DELETE FROM overrides WHERE id = ${id}`
}

export async function overridesOf(
  sql: Executor,
  object: { readonly kind: string; readonly namespace: string; readonly name: string },
): Promise<OverrideRow[]> {
  return sql<OverrideRow[]>`
    SELECT id, kind, namespace, name, path, value, base, actor, reason, created_at, expires_at, intervention_id FROM overrides
    WHERE kind = ${object.kind} AND namespace = ${object.namespace} AND name = ${object.name}`
}
