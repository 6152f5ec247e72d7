import type { Executor, Tx } from '../database.ts'

export interface FreezeRow {
  readonly id: string
  readonly frozen: boolean
  readonly actor: string
  readonly reason: string | null
  readonly correlation_id: string
  readonly at: Date
}

export async function insertFreeze(tx: Tx, row: FreezeRow): Promise<void> {
  await tx`INSERT INTO freezes ${tx({ ...row })}`
}

/** How it is; null = nothing was ever frozen. */
export async function latestFreeze(sql: Executor): Promise<FreezeRow | null> {
  const [row] = await sql<FreezeRow[]>`
    SELECT id, frozen, actor, reason, correlation_id, at FROM freezes ORDER BY at DESC, id DESC LIMIT 1`
  return row ?? null
}
