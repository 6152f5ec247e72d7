import type { Executor } from '../database.ts'
import type { EffectRow } from '../journal/rows.ts'

/** The effects of runs: with state `intent` when nobody recorded how they ended. */
export async function effectsOfRuns(sql: Executor, runIds: readonly string[]): Promise<EffectRow[]> {
  return sql<EffectRow[]>`
    SELECT operation_id, run_id, path, attempt, tool, idempotent, request_digest, state, created_at, ended_at
    FROM effects WHERE run_id = ANY(${[...runIds]}::uuid[])`
}
