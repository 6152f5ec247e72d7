import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'
import type { GateRow, GateState } from '../journal/rows.ts'

/** A gate with what a person needs to decide it. Times are UTC with milliseconds. */
export interface GateDto {
  /** Also the id of its step. */
  readonly gate_id: string
  readonly run_id: string
  readonly run: string
  readonly namespace: string
  readonly blueprint: string
  readonly step: string
  /** `manual`, `pullRequest`, `policy`, or `quarantine`: an effect whose outcome nobody knows. */
  readonly mode: string
  readonly state: GateState
  readonly message: string | null
  readonly approvers: readonly string[]
  readonly min_approvals: number
  /** JSON Schema of what an approval has to bring. */
  readonly input_schema: JsonObject | null
  readonly self_approval: boolean
  readonly input_digest: string
  /** Branch whose merge decides it. */
  readonly proposal: string | null
  /** Whether that branch was made. */
  readonly is_proposed: boolean
  readonly decisions: readonly {
    readonly decision: 'approve' | 'reject'
    readonly actor: string
    readonly reason: string | null
    readonly decided_at: string
  }[]
  readonly created_at: string
  readonly decided_at: string | null
  readonly timeout_at: string | null
}

export interface GateFilter {
  readonly namespace?: string
  readonly runId?: string
  readonly state?: GateState
  readonly stepId?: string
  readonly path?: string
  /** `desc` = the newest first; default `asc`: the longest waiting first. */
  readonly order?: 'asc' | 'desc'
  /** The page starts behind this one in its order. */
  readonly after?: { readonly createdAt: Date; readonly stepId: string } | null
  readonly limit: number
}

/** Gates, in the order in which runs came to them. */
export async function listGates(sql: Executor, filter: GateFilter): Promise<GateDto[]> {
  const rows = await sql<
    (Omit<GateDto, 'created_at' | 'decided_at' | 'timeout_at'> & {
      created_at: Date
      decided_at: Date | null
      timeout_at: Date | null
    })[]
  >`
    SELECT g.step_id AS gate_id, g.run_id, r.name AS run, r.namespace, r.blueprint, g.path AS step, g.mode, g.state,
           s.condition ->> 'message' AS message, g.approvers, g.min_approvals, g.input_schema, g.self_approval, g.input_digest,
           g.proposal, g.proposed_at IS NOT NULL AS is_proposed, g.created_at, g.decided_at, g.timeout_at,
           coalesce((SELECT jsonb_agg(jsonb_build_object('decision', a.decision, 'actor', a.actor, 'reason', a.reason,
                       'decided_at', to_char(a.decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY a.decided_at)
                     FROM approvals a WHERE a.step_id = g.step_id), '[]'::jsonb) AS decisions
    FROM gates g JOIN runs r USING (run_id)
    LEFT JOIN LATERAL (SELECT condition FROM steps s WHERE s.run_id = g.run_id AND s.path = g.path ORDER BY attempt DESC LIMIT 1) s ON true
    WHERE true
      ${filter.namespace === undefined ? sql`` : sql`AND r.namespace = ${filter.namespace}`}
      ${filter.runId === undefined ? sql`` : sql`AND g.run_id = ${filter.runId}`}
      ${filter.state === undefined ? sql`` : sql`AND g.state = ${filter.state}`}
      ${filter.path === undefined ? sql`` : sql`AND g.path = ${filter.path}`}
      ${filter.stepId === undefined ? sql`` : sql`AND g.step_id = ${filter.stepId}`}
      ${behind(sql, filter)}
    ORDER BY ${filter.order === 'desc' ? sql`g.created_at DESC, g.step_id DESC` : sql`g.created_at, g.step_id`} LIMIT ${filter.limit}`
  return rows.map((row) => ({
    ...row,
    created_at: row.created_at.toISOString(),
    decided_at: row.decided_at?.toISOString() ?? null,
    timeout_at: row.timeout_at?.toISOString() ?? null,
  }))
}

function behind(sql: Executor, { after, order }: GateFilter) {
  if (after == null) return sql``
  const { createdAt, stepId } = after
  return order === 'desc'
    ? sql`AND (g.created_at, g.step_id) < (${createdAt}, ${stepId}::uuid)`
    : sql`AND (g.created_at, g.step_id) > (${createdAt}, ${stepId}::uuid)`
}

/** The gates of runs, whole, for their owner; of a step that was attempted again the newest one is the last. */
export async function gatesOfRuns(sql: Executor, runIds: readonly string[]): Promise<GateRow[]> {
  return sql<GateRow[]>`
    SELECT step_id, run_id, path, mode, approvers, min_approvals, input_schema, self_approval, input_digest,
           proposal, state, timeout_at, created_at, decided_at
    FROM gates WHERE run_id = ANY(${[...runIds]}::uuid[]) ORDER BY created_at`
}

/**
 * Locks the run and then the gate, in the order in which the journal takes them, so that two decisions come one after the
 * other. Null when there is no such gate.
 */
export async function lockGate(tx: Executor, stepId: string): Promise<GateRow | null> {
  await tx`SELECT 1 FROM runs WHERE run_id = (SELECT run_id FROM gates WHERE step_id = ${stepId}) FOR NO KEY UPDATE`
  const [row] = await tx<GateRow[]>`
    SELECT step_id, run_id, path, mode, approvers, min_approvals, input_schema, self_approval, input_digest,
           proposal, state, timeout_at, created_at, decided_at
    FROM gates WHERE step_id = ${stepId} FOR UPDATE`
  return row ?? null
}

export interface ApprovalRow {
  readonly id: string
  readonly step_id: string
  readonly decision: 'approve' | 'reject'
  readonly actor: string
  readonly reason: string | null
  readonly input: Json | null
  readonly decided_at: Date
}

export async function insertApproval(tx: Executor, row: ApprovalRow): Promise<void> {
  await tx`
    INSERT INTO approvals (id, step_id, decision, actor, reason, input, decided_at)
    VALUES (${row.id}, ${row.step_id}, ${row.decision}, ${row.actor}, ${row.reason},
            ${row.input === null ? null : tx.json(row.input)}, ${row.decided_at})`
}

export async function approvalsOf(sql: Executor, stepId: string): Promise<ApprovalRow[]> {
  return sql<ApprovalRow[]>`
    SELECT id, step_id, decision, actor, reason, input, decided_at FROM approvals WHERE step_id = ${stepId} ORDER BY decided_at, id`
}
