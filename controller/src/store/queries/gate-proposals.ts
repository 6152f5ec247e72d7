import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** A waiting gate whose decision is to be proposed on a branch that is not there yet. */
export interface GateToPropose {
  readonly step_id: string
  readonly run_id: string
  readonly path: string
  readonly run: string
  readonly namespace: string
  readonly correlation_id: string
  readonly message: string
  readonly input_digest: string
  readonly input_schema: JsonObject | null
  /** The branch, without `refs/heads/`. */
  readonly proposal: string
}

/** The oldest first. */
export async function gatesToPropose(sql: Executor, limit: number): Promise<GateToPropose[]> {
  return sql<GateToPropose[]>`
    SELECT g.step_id, g.run_id, g.path, r.name AS run, r.namespace, r.correlation_id, g.input_digest, g.input_schema, g.proposal,
           coalesce((SELECT s.condition ->> 'message' FROM steps s WHERE s.step_id = g.step_id), '') AS message
    FROM gates g JOIN runs r USING (run_id)
    WHERE g.state = 'waiting' AND g.proposal IS NOT NULL AND g.proposed_at IS NULL
    ORDER BY g.created_at LIMIT ${limit}`
}

export async function markProposed(tx: Executor, stepId: string, at: Date): Promise<void> {
  await tx`UPDATE gates SET proposed_at = ${at} WHERE step_id = ${stepId}`
}
