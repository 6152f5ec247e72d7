import { hash } from 'node:crypto'
import type { Executor } from '../database.ts'
import type { StepRow } from '../journal/rows.ts'

/**
 * The id of a step: the same for a step that has no row yet as for its row, and for whoever takes the run over. It has
 * the form and the order of a UUIDv7: the time is the run's, the rest comes from what identifies the step.
 */
export function stepIdOf(runId: string, path: string, attempt: number): string {
  const hex = hash('sha256', `${runId}/${path}/${attempt}`, 'hex')
  const variant = ((Number.parseInt(hex[3]!, 16) & 0x3) | 0x8).toString(16)
  return `${runId.slice(0, 13)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`
}

/** Every recorded step of the runs, whole, for their owner. */
export async function stepsOfRuns(sql: Executor, runIds: readonly string[]): Promise<StepRow[]> {
  return sql<StepRow[]>`
    SELECT run_id, path, attempt, step_id, kind, status, inputs, outputs, error, condition, started_at, completed_at,
           next_attempt_at
    FROM steps WHERE run_id = ANY(${[...runIds]}::uuid[]) ORDER BY run_id, path, attempt`
}
