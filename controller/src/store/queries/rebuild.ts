import type { Json } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'
import type { StepRow } from '../journal/rows.ts'
import type { RunRow } from './runs.ts'

/** A run that has ended, whole: nobody owns it, nothing wakes it. */
export type EndedRun = Omit<RunRow, 'owner' | 'wake_at' | 'signals' | 'condition'>

/** Ids of the runs of that name whose creation is still in the log, the newest first. */
export async function createdRunIds(sql: Executor, name: string): Promise<string[]> {
  const rows = await sql<{ run_id: string }[]>`
    SELECT run_id FROM events WHERE event_name = 'stateward.run.created' AND data->>'run' = ${name} ORDER BY seq DESC`
  return rows.map(({ run_id }) => run_id)
}

/** Locks the run's row to the end of the transaction; null when it is not there. */
export async function lockRunStatus(tx: Tx, runId: string): Promise<RunRow['status'] | null> {
  const [row] = await tx<{ status: RunRow['status'] }[]>`SELECT status FROM runs WHERE run_id = ${runId} FOR UPDATE`
  return row?.status ?? null
}

/** Writes a run and its steps as they are given, whatever was there; steps that are not given are removed. */
export async function replaceRun(tx: Tx, run: EndedRun, steps: readonly Omit<StepRow, 'condition'>[]): Promise<void> {
  const row = {
    ...run,
    event: jsonOrNull(tx, run.event),
    inputs: tx.json(run.inputs),
    outputs: jsonOrNull(tx, run.outputs),
    error: jsonOrNull(tx, run.error),
  }
  const { run_id: _, ...changes } = row
  await tx`INSERT INTO runs ${tx(row)} ON CONFLICT (run_id) DO UPDATE SET ${tx(changes)}, owner = NULL, wake_at = NULL, condition = NULL`
  await tx`DELETE FROM steps WHERE run_id = ${run.run_id}`
  for (const step of steps) {
    await tx`
      INSERT INTO steps ${tx({
        ...step,
        inputs: jsonOrNull(tx, step.inputs),
        outputs: jsonOrNull(tx, step.outputs),
        error: jsonOrNull(tx, step.error),
      })}`
  }
}

function jsonOrNull(tx: Tx, value: Json | null) {
  return value === null ? null : tx.json(value)
}
