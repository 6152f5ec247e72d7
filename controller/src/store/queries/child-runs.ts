import type { JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'
import type { RunStatus, StepRow } from '../journal/rows.ts'

/** Why a run follows from another one: it goes on from a step of it, or undoes it. */
export type ParentKind = 'retry' | 'rollback'

export interface ChildRun {
  readonly run_id: string
  readonly name: string
  readonly parent_kind: ParentKind
  readonly status: RunStatus
  readonly inputs: JsonObject
}

/** Runs that follow from a run, in the order they were made. */
export async function childRuns(sql: Executor, runId: string): Promise<ChildRun[]> {
  return sql<ChildRun[]>`
    SELECT run_id, name, parent_kind, status, inputs FROM runs WHERE parent_run = ${runId} ORDER BY created_at, run_id`
}

/** Runs that failed and whose undoing nobody has begun, the longest waiting first. */
export async function pendingRollbacks(sql: Executor, limit: number): Promise<string[]> {
  const rows = await sql<{ run_id: string }[]>`
    SELECT run_id FROM runs WHERE status = 'failed' AND condition ->> 'reason' = 'RollbackPending'
    ORDER BY completed_at LIMIT ${limit}`
  return rows.map(({ run_id }) => run_id)
}

/** Says of a run that has ended what is still to be said of it; null = nothing. */
export async function setEndedCondition(tx: Tx, runId: string, condition: JsonObject | null): Promise<void> {
  await tx`UPDATE runs SET condition = ${condition === null ? null : tx.json(condition)} WHERE run_id = ${runId}`
}

/** Postgres takes at most 65,535 values in a statement. */
const ROWS_AT_ONCE = 2000

/** Inserts rows of steps that are known whole. */
export async function insertSteps(tx: Tx, rows: readonly StepRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const some = rows.slice(from, from + ROWS_AT_ONCE).map((row) => ({
      ...row,
      inputs: row.inputs === null ? null : tx.json(row.inputs),
      outputs: row.outputs === null ? null : tx.json(row.outputs),
      error: row.error === null ? null : tx.json(row.error),
      condition: row.condition === null ? null : tx.json(row.condition),
    }))
    await tx`INSERT INTO steps ${tx(some)}`
  }
}

/** What the steps that a run takes over have set on the blackboard of the run it goes on from. */
export async function takeOverBlackboard(tx: Tx, from: string, to: string): Promise<void> {
  await tx`
    INSERT INTO effects (operation_id, run_id, path, attempt, tool, idempotent, request_digest, state, created_at, ended_at)
    SELECT ${to} || '/' || e.path || '/' || e.attempt, ${to}, e.path, e.attempt, e.tool, e.idempotent, e.request_digest, e.state,
           e.created_at, e.ended_at
    FROM effects e JOIN steps s ON s.run_id = ${to} AND s.path = e.path AND s.attempt = e.attempt
    WHERE e.run_id = ${from} AND e.tool = 'blackboard.set' AND e.state = 'succeeded'`
}
