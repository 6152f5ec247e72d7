import type { JsonObject } from '../../lib/json.ts'
import { type InterventionState, interventionStatesBefore } from '../../lifecycle/intervention.ts'
import type { Executor } from '../database.ts'

export const INTERVENTION_ACTIONS = ['pause', 'resume', 'terminate', 'redirect', 'constrain'] as const
export type InterventionAction = (typeof INTERVENTION_ACTIONS)[number]

/**
 * Why an intervention is not in force any more: Git says the same, somebody resumed the agent, a later one took its place,
 * Git says something newer, its time was up, its agent is gone, somebody had what Git says put back.
 */
export const INTERVENTION_ENDS = [
  'merged',
  'resumed',
  'replaced',
  'superseded',
  'expired',
  'orphaned',
  'enforced',
] as const
export type InterventionEnd = (typeof INTERVENTION_ENDS)[number]

export interface InterventionRow {
  readonly intervention_id: string
  readonly namespace: string
  readonly agent: string
  readonly agent_uid: string
  readonly action: InterventionAction
  readonly params: JsonObject
  readonly reason: string
  readonly state: InterventionState
  readonly issued_by: string
  readonly issued_at: Date
  readonly acknowledged_at: Date | null
  readonly acknowledged_by: string | null
  readonly settled_at: Date | null
  /** What the agent said about it. */
  readonly detail: string | null
  readonly expires_at: Date | null
  readonly in_force: boolean
  readonly ended_at: Date | null
  readonly ended_why: InterventionEnd | null
  /** Its commit goes to the protected ref, not to a branch of its own. */
  readonly merge: boolean
  readonly branch: string | null
  readonly commit: string | null
  /** When a commit is proposed that could not be before; null = nothing is left to propose. */
  readonly propose_at: Date | null
  readonly proposal_error: string | null
  readonly correlation_id: string
}

export type NewIntervention = Pick<
  InterventionRow,
  | 'intervention_id'
  | 'namespace'
  | 'agent'
  | 'agent_uid'
  | 'action'
  | 'params'
  | 'reason'
  | 'issued_by'
  | 'issued_at'
  | 'expires_at'
  | 'in_force'
  | 'propose_at'
  | 'merge'
  | 'correlation_id'
>

export async function insertIntervention(tx: Executor, row: NewIntervention): Promise<void> {
  await tx`INSERT INTO interventions ${tx({ ...row, params: tx.json(row.params), state: 'pending' })}`
}

/** Interventions on one agent are issued one after the other. */
export async function lockInterventionsOf(tx: Executor, agentUid: string): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`interventions ${agentUid}`}, 0))`
}

export async function interventionById(sql: Executor, id: string): Promise<InterventionRow | null> {
  const [row] = await sql<InterventionRow[]>`SELECT * FROM interventions WHERE intervention_id = ${id}`
  return row ?? null
}

export async function lockIntervention(tx: Executor, id: string): Promise<InterventionRow | null> {
  const [row] = await tx<InterventionRow[]>`SELECT * FROM interventions WHERE intervention_id = ${id} FOR UPDATE`
  return row ?? null
}

/** Those an agent has not settled yet, or that are in force, or whose commit is still to be made; of all agents without a uid. */
export async function openInterventions(sql: Executor, agentUid: string | null = null): Promise<InterventionRow[]> {
  return sql<InterventionRow[]>`
    SELECT * FROM interventions
    WHERE (in_force OR state IN ('pending', 'acknowledged') OR propose_at IS NOT NULL)
      ${agentUid === null ? sql`` : sql`AND agent_uid = ${agentUid}`}
    ORDER BY issued_at, intervention_id`
}

export interface InterventionPage {
  readonly agentUid: string | null
  readonly namespace: string | null
  readonly state: InterventionState | null
  readonly inForce: boolean | null
  readonly after: { readonly issuedAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageInterventions(sql: Executor, page: InterventionPage): Promise<InterventionRow[]> {
  return sql<InterventionRow[]>`
    SELECT * FROM interventions
    WHERE true
      ${page.agentUid === null ? sql`` : sql`AND agent_uid = ${page.agentUid}`}
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.state === null ? sql`` : sql`AND state = ${page.state}`}
      ${page.inForce === null ? sql`` : sql`AND in_force = ${page.inForce}`}
      ${page.after === null ? sql`` : sql`AND (issued_at, intervention_id) < (${page.after.issuedAt}, ${page.after.id})`}
    ORDER BY issued_at DESC, intervention_id DESC LIMIT ${page.limit}`
}

/** Moves it on, if its state allows that; false when it does not. */
export async function moveIntervention(
  tx: Executor,
  id: string,
  to: InterventionState,
  by: { readonly at: Date; readonly actor: string; readonly detail: string | null },
): Promise<boolean> {
  const settled = to === 'acknowledged' ? null : by.at
  const heard = to !== 'expired'
  const { count } = await tx`
    UPDATE interventions SET state = ${to}, settled_at = ${settled}, detail = coalesce(${by.detail}, detail),
           acknowledged_at = CASE WHEN ${heard} THEN coalesce(acknowledged_at, ${by.at}) ELSE acknowledged_at END,
           acknowledged_by = CASE WHEN ${heard} THEN coalesce(acknowledged_by, ${by.actor}) ELSE acknowledged_by END
    WHERE intervention_id = ${id} AND state = ANY(${interventionStatesBefore(to)}::text[])`
  return count === 1
}

/** From here on it is not in force. Null when it was not before either. */
export async function endIntervention(
  tx: Executor,
  id: string,
  end: { readonly at: Date; readonly why: InterventionEnd },
): Promise<InterventionRow | null> {
  // What was taken back is not proposed any more.
  const [row] = await tx<InterventionRow[]>`
    UPDATE interventions SET in_force = false, ended_at = ${end.at}, ended_why = ${end.why}, propose_at = NULL
    WHERE intervention_id = ${id} AND in_force RETURNING *`
  return row ?? null
}

export async function recordProposal(
  tx: Executor,
  id: string,
  made: {
    readonly branch: string | null
    readonly commit: string | null
    readonly error: string | null
    readonly again: Date | null
  },
): Promise<void> {
  await tx`
    UPDATE interventions SET branch = ${made.branch}, commit = ${made.commit},
           proposal_error = ${made.error}, propose_at = CASE WHEN ended_why IS NULL THEN ${made.again}::timestamptz END
    WHERE intervention_id = ${id}`
}

/** What the last terminate of an agent came to when it was merged: how many replicas Git had declared before. */
export async function mergedTermination(
  sql: Executor,
  agentUid: string,
): Promise<{ readonly replicas: number | null } | null> {
  const [row] = await sql<{ replicas: number | null; ended_why: string | null }[]>`
    SELECT (params ->> 'replicas')::integer AS replicas, ended_why FROM interventions
    WHERE agent_uid = ${agentUid} AND action = 'terminate' ORDER BY issued_at DESC LIMIT 1`
  return row?.ended_why === 'merged' ? { replicas: row.replicas } : null
}
