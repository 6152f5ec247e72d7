import type { Executor } from '../database.ts'

/** Runs of a blueprint that have not ended. */
export async function countOpenRuns(sql: Executor, blueprintUid: string): Promise<number> {
  const [row] = await sql<{ open: number }[]>`
    SELECT count(*) AS open FROM runs WHERE blueprint_uid = ${blueprintUid} AND status IN ('created', 'running')`
  return row!.open
}

/** Of several blueprints; those without any are left out. */
export async function countOpenRunsOf(
  sql: Executor,
  blueprintUids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ blueprint_uid: string; open: number }[]>`
    SELECT blueprint_uid, count(*) AS open FROM runs
    WHERE blueprint_uid = ANY (${[...blueprintUids]}::uuid[]) AND status IN ('created', 'running') GROUP BY blueprint_uid`
  return new Map(rows.map((row) => [row.blueprint_uid, row.open]))
}

/** Runs of a blueprint that have not ended. */
export interface OpenRunsOf {
  readonly blueprint_uid: string
  readonly total: number
  /** The oldest of them, at most 20. */
  readonly names: readonly string[]
}

/** Open runs that were made up to a time, by blueprint. */
export async function openRunsByBlueprint(sql: Executor, upTo: Date): Promise<readonly OpenRunsOf[]> {
  return sql<OpenRunsOf[]>`
    SELECT blueprint_uid, count(*) AS total, (array_agg(name ORDER BY created_at, run_id))[1:20] AS names
    FROM runs WHERE status IN ('created', 'running') AND created_at <= ${upTo} GROUP BY blueprint_uid`
}

/** When the oldest open run was made of those that are newer than a time; null = there is none. */
export async function oldestRunAfter(sql: Executor, after: Date): Promise<Date | null> {
  const [row] = await sql<{ first: Date | null }[]>`
    SELECT min(created_at) AS first FROM runs WHERE status IN ('created', 'running') AND created_at > ${after}`
  return row?.first ?? null
}
