import type { Executor, Tx } from '../database.ts'

export interface FreezeRow {
  readonly id: string
  readonly frozen: boolean
  readonly actor: string
  readonly reason: string | null
  readonly correlation_id: string
  readonly at: Date
  /** At refs/stateward/freeze, saying the same; of a row that lets it go on, that of the freeze it ended. */
  readonly commit: string | null
}

export async function insertFreeze(tx: Tx, row: FreezeRow): Promise<void> {
  await tx`INSERT INTO freezes ${tx({ ...row })}`
}

/** How it is; null = nothing was ever frozen. */
export async function latestFreeze(sql: Executor): Promise<FreezeRow | null> {
  const [row] = await sql<FreezeRow[]>`
    SELECT id, frozen, actor, reason, correlation_id, at, commit FROM freezes ORDER BY at DESC, id DESC LIMIT 1`
  return row ?? null
}

/** Whether the fleet is halted; asked within whatever would begin something for a process that may not know it yet. */
export async function isFrozen(sql: Executor): Promise<boolean> {
  const [row] = await sql<{ frozen: boolean }[]>`SELECT frozen FROM freezes ORDER BY at DESC, id DESC LIMIT 1`
  return row?.frozen === true
}

/** The commit that says what a row says. */
export async function noteFreezeCommit(tx: Tx, id: string, commit: string): Promise<void> {
  await tx`UPDATE freezes SET commit = ${commit} WHERE id = ${id}`
}

/** Whether a commit belongs to some row, an old one too. */
export async function isFreezeCommit(sql: Executor, commit: string): Promise<boolean> {
  const rows = await sql`SELECT 1 FROM freezes WHERE commit = ${commit} LIMIT 1`
  return rows.length > 0
}
