import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

export const TOOL_CALL_STATES = ['waiting', 'running', 'succeeded', 'failed', 'refused', 'unknown'] as const
export type ToolCallState = (typeof TOOL_CALL_STATES)[number]

export interface NewToolCall {
  readonly id: string
  readonly operation_id: string
  readonly namespace: string
  /** The name, not an alias. */
  readonly tool: string
  readonly actor: string
  readonly agent: string | null
  readonly run_id: string | null
  readonly step: string | null
  readonly attempt: number | null
  readonly task_id: string | null
  readonly turn: number | null
  readonly call_no: number | null
  readonly idempotent: boolean
  readonly risk: 'low' | 'medium' | 'high'
  readonly side_effects: 'none' | 'reversible' | 'irreversible'
  readonly input: JsonObject
  readonly request_digest: string
  readonly state: ToolCallState
  /** The writer that makes the call; null = nobody does. */
  readonly owner: string | null
  /** Who asks for approvals: a policy, or what autonomy says. */
  readonly asked_by: string | null
  /** `{min, fromAnyOf}`, all of them are needed. */
  readonly approvals: readonly JsonObject[]
  readonly error: JsonObject | null
  readonly deadline: Date | null
  readonly correlation_id: string
  readonly created_at: Date
  readonly begun_at: Date | null
  readonly ended_at: Date | null
}

export interface ToolCallRow extends NewToolCall {
  readonly approved_by: readonly string[]
  readonly output: Json
  readonly log: readonly string[]
  /** Since when nobody knows whether it took effect; null = that was never so. While it has no end, a person may say. */
  readonly quarantined_at: Date | null
}

/** Nobody knows what became of it, and somebody waits for a person to say. */
export const isUndecided = ({ state, ended_at }: Pick<ToolCallRow, 'state' | 'ended_at'>): boolean =>
  state === 'unknown' && ended_at === null

/** False when there is a call of that id. */
export async function insertToolCall(
  tx: Executor,
  { input, approvals, error, ...call }: NewToolCall,
): Promise<boolean> {
  const values = {
    ...call,
    input: tx.json(input),
    approvals: tx.json([...approvals] as never),
    error: error === null ? null : tx.json(error),
  }
  const rows = await tx`INSERT INTO tool_calls ${tx(values as never)} ON CONFLICT (id) DO NOTHING RETURNING id`
  return rows.length > 0
}

export async function toolCallById(sql: Executor, id: string): Promise<ToolCallRow | null> {
  const [row] = await sql<ToolCallRow[]>`SELECT * FROM tool_calls WHERE id = ${id}`
  return row ?? null
}

export async function lockToolCall(tx: Executor, id: string): Promise<ToolCallRow | null> {
  const [row] = await tx<ToolCallRow[]>`SELECT * FROM tool_calls WHERE id = ${id} FOR UPDATE`
  return row ?? null
}

/** An approval that is not the last one that is needed. */
export async function addApprover(tx: Executor, id: string, actor: string): Promise<void> {
  await tx`UPDATE tool_calls SET approved_by = array_append(approved_by, ${actor}) WHERE id = ${id} AND state = 'waiting'`
}

/** The last approval is there: the writer makes the call. */
export async function beginToolCall(
  tx: Executor,
  id: string,
  by: { readonly actor: string; readonly owner: string; readonly at: Date },
): Promise<void> {
  await tx`
    UPDATE tool_calls SET state = 'running', owner = ${by.owner}, begun_at = ${by.at}, approved_by = array_append(approved_by, ${by.actor})
    WHERE id = ${id} AND state = 'waiting'`
}

export interface ToolCallEnd {
  readonly state: 'succeeded' | 'failed' | 'refused' | 'unknown'
  readonly output: Json
  readonly error: JsonObject | null
  readonly log: readonly string[]
  readonly at: Date
}

/** Null when somebody recorded its end before. */
export async function endToolCall(tx: Executor, id: string, end: ToolCallEnd): Promise<ToolCallRow | null> {
  const [row] = await tx<ToolCallRow[]>`
    UPDATE tool_calls SET state = ${end.state}, owner = NULL, output = ${end.output === null ? null : tx.json(end.output)},
      error = ${end.error === null ? null : tx.json(end.error)}, log = ${[...end.log]}::text[], ended_at = ${end.at}
    WHERE id = ${id} AND (state IN ('waiting', 'running') OR state = 'unknown' AND ended_at IS NULL) RETURNING *`
  return row ?? null
}

/** Its process went away, and it is not repeated unasked: it stays open. Null when it does not run. */
export async function quarantineToolCall(
  tx: Executor,
  id: string,
  { error, at }: { readonly error: JsonObject; readonly at: Date },
): Promise<ToolCallRow | null> {
  const [row] = await tx<ToolCallRow[]>`
    UPDATE tool_calls SET state = 'unknown', owner = NULL, error = ${tx.json(error)}, quarantined_at = ${at}
    WHERE id = ${id} AND state = 'running' RETURNING *`
  return row ?? null
}

/** Somebody said that it took no effect: the writer makes the call again, as an operation of its own. */
export async function repeatToolCall(
  tx: Executor,
  id: string,
  by: { readonly owner: string; readonly at: Date; readonly operationId: string },
): Promise<void> {
  await tx`
    UPDATE tool_calls SET state = 'running', owner = ${by.owner}, begun_at = ${by.at}, operation_id = ${by.operationId}, error = NULL,
      deadline = deadline + (${by.at}::timestamptz - quarantined_at)
    WHERE id = ${id} AND state = 'unknown' AND ended_at IS NULL`
}

/** Those among them that wait for an approval, or of which a person has to say what became of them. */
export async function openAmong(
  sql: Executor,
  ids: readonly string[],
): Promise<{ readonly id: string; readonly tool: string; readonly state: 'waiting' | 'unknown' }[]> {
  return sql<{ id: string; tool: string; state: 'waiting' | 'unknown' }[]>`
    SELECT id, tool, state FROM tool_calls
    WHERE id = ANY(${[...ids]}::uuid[]) AND (state = 'waiting' OR state = 'unknown' AND ended_at IS NULL)`
}

/** Nobody waits for them any more: nothing is to be decided. */
export async function leaveUndecided(tx: Executor, ids: readonly string[], at: Date): Promise<void> {
  await tx`
    UPDATE tool_calls SET ended_at = ${at}
    WHERE id = ANY(${[...ids]}::uuid[]) AND state = 'unknown' AND ended_at IS NULL`
}

/** Those among them that waited for an approval, which are over now. */
export async function refuseWaiting(
  tx: Executor,
  ids: readonly string[],
  { error, at }: { readonly error: JsonObject; readonly at: Date },
): Promise<ToolCallRow[]> {
  return tx<ToolCallRow[]>`
    UPDATE tool_calls SET state = 'refused', owner = NULL, error = ${tx.json(error)}, ended_at = ${at}
    WHERE id = ANY(${[...ids]}::uuid[]) AND state = 'waiting' RETURNING *`
}

/** Calls whose process went away; they are this writer's from now on. */
export async function takeOrphanedToolCalls(tx: Executor, writer: string): Promise<ToolCallRow[]> {
  return tx<ToolCallRow[]>`
    UPDATE tool_calls c SET owner = ${writer}
    WHERE c.state = 'running' AND NOT EXISTS (SELECT FROM writers w WHERE w.id = c.owner) RETURNING *`
}

/** The newest first. */
export async function pageToolCalls(
  sql: Executor,
  page: {
    readonly namespace: string | null
    readonly tool: string | null
    readonly state: ToolCallState | null
    readonly runId: string | null
    /** Of one agent only. */
    readonly agent: string | null
    readonly after: { readonly createdAt: Date; readonly id: string } | null
    readonly limit: number
  },
): Promise<ToolCallRow[]> {
  return sql<ToolCallRow[]>`
    SELECT * FROM tool_calls
    WHERE (${page.namespace}::text IS NULL OR namespace = ${page.namespace}) AND (${page.tool}::text IS NULL OR tool = ${page.tool})
      AND (${page.state}::text IS NULL OR state = ${page.state}) AND (${page.runId}::uuid IS NULL OR run_id = ${page.runId})
      AND (${page.agent}::text IS NULL OR agent = ${page.agent})
      ${page.after === null ? sql`` : sql`AND (created_at, id) < (${page.after.createdAt}, ${page.after.id}::uuid)`}
    ORDER BY created_at DESC, id DESC LIMIT ${page.limit}`
}

/** Ended before then; at most `limit` a transaction. */
export async function deleteToolCallsBefore(tx: Executor, before: Date, limit: number): Promise<number> {
  const rows = await tx`
    DELETE FROM tool_calls WHERE id IN (SELECT id FROM tool_calls WHERE ended_at < ${before} ORDER BY ended_at LIMIT ${limit}) RETURNING id`
  return rows.length
}
