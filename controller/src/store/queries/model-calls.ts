import type { Executor, Tx } from '../database.ts'

export const MODEL_CALL_STATES = ['begun', 'completed', 'failed'] as const
export type ModelCallState = (typeof MODEL_CALL_STATES)[number]

/** One call of a model. Amounts are nano-USD. */
export interface ModelCallRow {
  readonly call_id: string
  readonly namespace: string
  readonly actor: string
  readonly agent: string | null
  readonly run_id: string | null
  readonly step: string | null
  readonly task_id: string | null
  readonly turn: number | null
  readonly route: string | null
  readonly rule: string | null
  readonly complexity: string
  readonly task_class: string | null
  /** Which of the backends of its request it is, from 1. */
  readonly place: number
  readonly provider: string
  readonly provider_type: string
  readonly class: 'local' | 'cloud'
  readonly model_asked: string
  readonly model_answered: string | null
  readonly state: ModelCallState
  readonly cause: string | null
  readonly problem: string | null
  readonly tokens_expected: number
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly usage: 'reported' | 'unknown' | null
  readonly cost: bigint
  readonly finish_reason: string | null
  readonly started_at: Date
  readonly ended_at: Date | null
  readonly first_token_ms: number | null
  readonly latency_ms: number | null
  readonly is_reserved: boolean
  readonly prompt_artifact: string | null
  readonly answer_artifact: string | null
  readonly correlation_id: string
  readonly writer: string
}

type Sent = Omit<ModelCallRow, 'cost'> & { readonly cost: string }

const rowOf = (row: Sent): ModelCallRow => ({ ...row, cost: BigInt(row.cost) })

const columns = (sql: Executor) => sql`
  call_id, namespace, actor, agent, run_id, step, task_id, turn, route, rule, complexity, task_class, place, provider, provider_type,
  class, model_asked, model_answered, state, cause, problem, tokens_expected::float8 AS tokens_expected,
  input_tokens::float8 AS input_tokens, output_tokens::float8 AS output_tokens, usage, cost::text AS cost, finish_reason,
  started_at, ended_at, first_token_ms, latency_ms, is_reserved, prompt_artifact, answer_artifact, correlation_id, writer`

/** The row as it is now, whether it was there or not. */
export async function putModelCall(tx: Executor, row: ModelCallRow): Promise<void> {
  const sent = { ...row, cost: String(row.cost) }
  const { call_id: _, ...changed } = sent
  await tx`INSERT INTO model_calls ${tx(sent)} ON CONFLICT (call_id) DO UPDATE SET ${tx(changed)}`
}

/**
 * One at a time: whoever asks whether a provider takes another call, or says what one used, until the end of the transaction. Whoever
 * remembers the window asks again.
 */
export async function lockProviderWindow(tx: Tx, provider: string): Promise<void> {
  await tx`
    INSERT INTO model_windows (provider) VALUES (${provider})
    ON CONFLICT (provider) DO UPDATE SET version = model_windows.version + 1`
}

/** The same for a provider that may have no limit. */
export async function turnProviderWindow(tx: Tx, provider: string): Promise<void> {
  await tx`UPDATE model_windows SET version = version + 1 WHERE provider = ${provider}`
}

export interface WindowCallRow {
  readonly call_id: string
  readonly started_at: Date
  /** Used, or what may be. */
  readonly tokens: number
}

/** Calls of a provider since a time, the oldest first, and where its window stands. */
export async function windowOf(
  sql: Executor,
  provider: string,
  since: Date,
): Promise<{ readonly version: number; readonly calls: readonly WindowCallRow[] }> {
  await sql`INSERT INTO model_windows (provider) VALUES (${provider}) ON CONFLICT DO NOTHING`
  const rows = await sql<(WindowCallRow & { readonly version: number })[]>`
    SELECT w.version, c.call_id, c.started_at,
           (CASE WHEN c.input_tokens IS NULL THEN c.tokens_expected ELSE c.input_tokens + c.output_tokens END)::float8 AS tokens
    FROM model_windows w
    LEFT JOIN model_calls c ON c.provider = w.provider AND c.started_at > ${since} AND c.cause IS DISTINCT FROM 'notSent'
    WHERE w.provider = ${provider} ORDER BY c.started_at`
  return { version: rows[0]!.version, calls: rows.filter(({ call_id }) => call_id !== null) }
}

/** How many there were since a time, and the tokens they used or may use. */
export async function sumInWindow(
  tx: Executor,
  provider: string,
  since: Date,
): Promise<{ readonly calls: number; readonly tokens: number }> {
  const [row] = await tx<{ calls: number; tokens: number }[]>`
    SELECT count(*)::integer AS calls,
           coalesce(sum(CASE WHEN input_tokens IS NULL THEN tokens_expected ELSE input_tokens + output_tokens END), 0)::float8 AS tokens
    FROM model_calls WHERE provider = ${provider} AND started_at > ${since} AND cause IS DISTINCT FROM 'notSent'`
  return row!
}

/** Calls of a provider since a time, with the tokens they used or may use; the oldest first. */
export async function callsInWindow(
  tx: Executor,
  provider: string,
  since: Date,
): Promise<readonly { readonly started_at: Date; readonly tokens: number }[]> {
  return tx<{ started_at: Date; tokens: number }[]>`
    SELECT started_at, (CASE WHEN input_tokens IS NULL THEN tokens_expected ELSE input_tokens + output_tokens END)::float8 AS tokens
    FROM model_calls WHERE provider = ${provider} AND started_at > ${since} AND cause IS DISTINCT FROM 'notSent'
    ORDER BY started_at`
}

export async function modelCallById(sql: Executor, callId: string): Promise<ModelCallRow | null> {
  const [row] = await sql<Sent[]>`SELECT ${columns(sql)} FROM model_calls WHERE call_id = ${callId}`
  return row === undefined ? null : rowOf(row)
}

export interface ModelCallPage {
  readonly namespace: string | null
  readonly provider: string | null
  readonly agent: string | null
  readonly runId: string | null
  readonly taskId: string | null
  readonly state: ModelCallState | null
  readonly after: { readonly startedAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageModelCalls(sql: Executor, page: ModelCallPage): Promise<ModelCallRow[]> {
  const { namespace, provider, agent, runId, taskId, state, after, limit } = page
  const rows = await sql<Sent[]>`
    SELECT ${columns(sql)} FROM model_calls WHERE true
      ${namespace === null ? sql`` : sql`AND namespace = ${namespace}`}
      ${provider === null ? sql`` : sql`AND provider = ${provider}`}
      ${agent === null ? sql`` : sql`AND agent = ${agent}`}
      ${runId === null ? sql`` : sql`AND run_id = ${runId}`}
      ${taskId === null ? sql`` : sql`AND task_id = ${taskId}`}
      ${state === null ? sql`` : sql`AND state = ${state}`}
      ${after === null ? sql`` : sql`AND (started_at, call_id) < (${after.startedAt}, ${after.id})`}
    ORDER BY started_at DESC, call_id DESC LIMIT ${limit}`
  return rows.map(rowOf)
}

/** Calls that a process began which is not there any more. */
export async function orphanedModelCalls(sql: Executor, limit: number): Promise<ModelCallRow[]> {
  const rows = await sql<Sent[]>`
    SELECT ${columns(sql)} FROM model_calls c
    WHERE state = 'begun' AND NOT EXISTS (SELECT FROM writers w WHERE w.id = c.writer) ORDER BY started_at LIMIT ${limit}`
  return rows.map(rowOf)
}

/** With its row locked, if it has not ended. */
export async function lockBegunModelCall(tx: Tx, callId: string): Promise<ModelCallRow | null> {
  const [row] = await tx<Sent[]>`
    SELECT ${columns(tx)} FROM model_calls WHERE call_id = ${callId} AND state = 'begun' FOR UPDATE`
  return row === undefined ? null : rowOf(row)
}

export interface ProviderFacts {
  readonly calls: number
  readonly failures: number
  readonly last_call: Date | null
  /** Of the last call that ended. */
  readonly last_state: ModelCallState | null
  readonly last_problem: string | null
  readonly drift: readonly { readonly asked: string; readonly answered: string }[]
}

/** How a provider stands by its calls since a time. Drift: pairs that the last call of each model has. */
export async function factsOfProvider(sql: Executor, provider: string, since: Date): Promise<ProviderFacts> {
  const [row] = await sql<Omit<ProviderFacts, 'drift'>[]>`
    SELECT count(*)::integer AS calls, (count(*) FILTER (WHERE state = 'failed'))::integer AS failures,
           max(ended_at) FILTER (WHERE state = 'completed') AS last_call,
           (array_agg(state ORDER BY ended_at DESC) FILTER (WHERE state <> 'begun'))[1] AS last_state,
           (array_agg(problem ORDER BY ended_at DESC) FILTER (WHERE state <> 'begun'))[1] AS last_problem
    FROM model_calls WHERE provider = ${provider} AND started_at > ${since}`
  const pairs = await sql<{ asked: string; answered: string | null }[]>`
    SELECT DISTINCT ON (model_asked) model_asked AS asked, model_answered AS answered
    FROM model_calls WHERE provider = ${provider} AND started_at > ${since} AND state = 'completed'
    ORDER BY model_asked, started_at DESC LIMIT 100`
  const drift = pairs.flatMap(({ asked, answered }) =>
    answered === null || answered === asked ? [] : [{ asked, answered }],
  )
  return { ...row!, drift }
}

/** How many calls local providers answered, of all that were answered. `route` null = of the whole namespace. */
export async function localShare(
  sql: Executor,
  of: { readonly namespace: string; readonly route: string | null },
  since: Date,
): Promise<{ readonly calls: number; readonly local: number }> {
  const [row] = await sql<{ calls: number; local: number }[]>`
    SELECT count(*)::integer AS calls, (count(*) FILTER (WHERE class = 'local'))::integer AS local
    FROM model_calls WHERE namespace = ${of.namespace} AND state = 'completed' AND started_at > ${since}
      ${of.route === null ? sql`` : sql`AND route = ${of.route}`}`
  return row!
}

/** Removes what ended before a time. */
export async function deleteOldModelCalls(tx: Executor, before: Date, limit: number): Promise<number> {
  const result = await tx`
    DELETE FROM model_calls WHERE call_id IN (
      SELECT call_id FROM model_calls WHERE started_at < ${before} AND state <> 'begun' LIMIT ${limit})`
  return result.count
}
