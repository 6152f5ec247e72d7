import type { Executor } from '../database.ts'
import type { RunStatus } from './runs-read.ts'

/** The newest run that an operation started. */
export interface OperationRun {
  readonly namespace: string
  readonly operation: string
  readonly run_id: string
  readonly name: string
  readonly status: RunStatus
  readonly created_at: Date
  readonly completed_at: Date | null
}

export async function lastOperationRuns(
  sql: Executor,
  operations: readonly { readonly namespace: string; readonly name: string }[],
): Promise<readonly OperationRun[]> {
  return sql<OperationRun[]>`
    SELECT o.namespace, o.name AS operation, r.run_id, r.name, r.status, r.created_at, r.completed_at
    FROM unnest(${operations.map(({ namespace }) => namespace)}::text[], ${operations.map(({ name }) => name)}::text[])
      AS o(namespace, name)
    CROSS JOIN LATERAL (
      SELECT run_id, name, status, created_at, completed_at FROM runs
      WHERE runs.namespace = o.namespace AND runs.trigger = 'operation:' || o.name AND runs.trigger LIKE 'operation:%'
      ORDER BY created_at DESC LIMIT 1) r`
}
