import type { Tx } from '../database.ts'

/** To the end of the transaction, only this one decides whether the blueprint takes a run. */
export async function lockAdmission(tx: Tx, blueprintUid: string): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`stateward.admission ${blueprintUid}`}, 0))`
}

/** Runs of a blueprint that have not begun. */
export async function countPending(tx: Tx, blueprintUid: string): Promise<number> {
  const [row] = await tx<{ pending: number }[]>`
    SELECT count(*) AS pending FROM runs
    WHERE blueprint_uid = ${blueprintUid} AND status IN ('created', 'running') AND status = 'created'`
  return row!.pending
}

/** When `limit` or more runs of a blueprint were made since then: the time of the last one but `limit - 1`; else null. */
export async function rateFreeAt(tx: Tx, blueprintUid: string, since: Date, limit: number): Promise<Date | null> {
  const [row] = await tx<{ created_at: Date }[]>`
    SELECT created_at FROM runs WHERE blueprint_uid = ${blueprintUid} AND created_at > ${since}
    ORDER BY created_at DESC OFFSET ${limit - 1} LIMIT 1`
  return row?.created_at ?? null
}
