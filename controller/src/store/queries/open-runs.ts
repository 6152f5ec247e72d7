import type { Executor } from '../database.ts'

/** Runs of a blueprint that have not ended. */
export async function countOpenRuns(sql: Executor, blueprintUid: string): Promise<number> {
  const [row] = await sql<{ open: number }[]>`
    SELECT count(*) AS open FROM runs WHERE blueprint_uid = ${blueprintUid} AND status IN ('created', 'running')`
  return row!.open
}
