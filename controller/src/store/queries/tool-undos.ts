import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

export interface NewToolUndo {
  readonly operation_id: string
  readonly namespace: string
  readonly actor: string | null
  readonly tool: string
  readonly workspace: string
  readonly record: JsonObject
  readonly correlation_id: string
  readonly created_at: Date
}

export interface ToolUndoRow extends NewToolUndo {
  readonly undone_at: Date | null
  readonly undone_by: string | null
}

/** The first one of an operation stays. */
export async function insertToolUndo(tx: Executor, { record, ...row }: NewToolUndo): Promise<void> {
  await tx`INSERT INTO tool_undos ${tx({ ...row, record: tx.json(record) } as never)} ON CONFLICT (operation_id) DO NOTHING`
}

/** Members that became known after the call. */
export async function learnToolUndo(tx: Executor, operationId: string, more: JsonObject): Promise<void> {
  await tx`
    UPDATE tool_undos SET record = record || ${tx.json(more)}::jsonb
    WHERE operation_id = ${operationId} AND undone_at IS NULL`
}

export async function toolUndoOf(sql: Executor, operationId: string): Promise<ToolUndoRow | null> {
  const [row] = await sql<ToolUndoRow[]>`SELECT * FROM tool_undos WHERE operation_id = ${operationId}`
  return row ?? null
}

/** Null when it was taken back before. */
export async function markUndone(
  tx: Executor,
  operationId: string,
  by: { readonly actor: string; readonly at: Date },
): Promise<ToolUndoRow | null> {
  const [row] = await tx<ToolUndoRow[]>`
    UPDATE tool_undos SET undone_at = ${by.at}, undone_by = ${by.actor}
    WHERE operation_id = ${operationId} AND undone_at IS NULL RETURNING *`
  return row ?? null
}

/** Older than that; their operation ids. At most `limit` a transaction. */
export async function deleteToolUndosBefore(tx: Executor, before: Date, limit: number): Promise<string[]> {
  const rows = await tx<{ operation_id: string }[]>`
    DELETE FROM tool_undos WHERE operation_id IN (SELECT operation_id FROM tool_undos WHERE created_at < ${before} ORDER BY created_at LIMIT ${limit})
    RETURNING operation_id`
  return rows.map(({ operation_id }) => operation_id)
}
