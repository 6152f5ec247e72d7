import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

/** The work on one attempt of a task of an agent that is a model. */
export interface ModelLoopRow {
  readonly task_id: string
  readonly attempt: number
  readonly namespace: string
  readonly agent: string
  readonly started_at: Date
}

export interface ModelTurnRow {
  readonly task_id: string
  readonly attempt: number
  /** From 1. */
  readonly turn: number
  readonly call_id: string
  readonly text: string
  readonly tool_calls: readonly { readonly id: string; readonly tool: string; readonly input: JsonObject }[]
  readonly results:
    | readonly { readonly id: string; readonly tool: string; readonly output: Json; readonly isError: boolean }[]
    | null
  readonly correction: string | null
  readonly tokens: number
  /** Nano-USD. */
  readonly cost: bigint
  readonly prompt_digest: string
  readonly at: Date
}

/** How many tasks an agent that is a model works on. Asked under the lock of its tasks. */
export async function countOpenLoops(
  tx: Executor,
  agent: { readonly namespace: string; readonly name: string },
): Promise<number> {
  const [row] = await tx<{ count: number }[]>`
    SELECT count(*)::integer AS count FROM model_loops
    WHERE namespace = ${agent.namespace} AND agent = ${agent.name} AND ended_at IS NULL`
  return row!.count
}

/** Takes a queued task for a loop of this process. */
export async function beginLoop(tx: Executor, loop: ModelLoopRow, owner: string): Promise<void> {
  await tx`
    UPDATE tasks SET status = 'leased', instance_id = NULL, lease_until = NULL, leased_at = ${loop.started_at}
    WHERE task_id = ${loop.task_id} AND status = 'queued'`
  await tx`INSERT INTO model_loops ${tx({ ...loop, owner })} ON CONFLICT DO NOTHING`
}

/** Takes loops that nobody turns: their process went away, or gave them back. */
export async function takeFreeLoops(tx: Executor, owner: string, limit: number): Promise<ModelLoopRow[]> {
  return tx<ModelLoopRow[]>`
    UPDATE model_loops SET owner = ${owner}
    WHERE (task_id, attempt) IN (
      SELECT task_id, attempt FROM model_loops WHERE ended_at IS NULL AND owner IS NULL
      ORDER BY started_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING task_id, attempt, namespace, agent, started_at`
}

/** This process turns them no longer. */
export async function releaseLoops(tx: Executor, owner: string): Promise<void> {
  await tx`UPDATE model_loops SET owner = NULL WHERE owner = ${owner} AND ended_at IS NULL`
}

export async function endLoop(tx: Executor, loop: Pick<ModelLoopRow, 'task_id' | 'attempt'>, at: Date): Promise<void> {
  await tx`
    UPDATE model_loops SET ended_at = ${at}, owner = NULL
    WHERE task_id = ${loop.task_id} AND attempt = ${loop.attempt} AND ended_at IS NULL`
}

/** Its time stood still: somebody was asked. */
export async function pauseLoop(tx: Executor, taskId: string, since: Date, until: Date): Promise<void> {
  await tx`
    UPDATE model_loops SET started_at = started_at + (${until}::timestamptz - ${since}::timestamptz)
    WHERE task_id = ${taskId} AND ended_at IS NULL`
}

export async function loopOf(
  sql: Executor,
  loop: Pick<ModelLoopRow, 'task_id' | 'attempt'>,
): Promise<ModelLoopRow | null> {
  const [row] = await sql<ModelLoopRow[]>`
    SELECT task_id, attempt, namespace, agent, started_at FROM model_loops
    WHERE task_id = ${loop.task_id} AND attempt = ${loop.attempt}`
  return row ?? null
}

/** Turns of a loop in their order. */
export async function turnsOf(sql: Executor, loop: Pick<ModelLoopRow, 'task_id' | 'attempt'>): Promise<ModelTurnRow[]> {
  const rows = await sql<(Omit<ModelTurnRow, 'cost'> & { readonly cost: string })[]>`
    SELECT task_id, attempt, turn, call_id, text, tool_calls, results, correction, tokens::float8 AS tokens, cost::text AS cost,
           prompt_digest, at
    FROM model_turns WHERE task_id = ${loop.task_id} AND attempt = ${loop.attempt} ORDER BY turn`
  return rows.map((row) => ({ ...row, cost: BigInt(row.cost) }))
}

export async function insertTurn(tx: Tx, turn: ModelTurnRow): Promise<void> {
  await tx`
    INSERT INTO model_turns (task_id, attempt, turn, call_id, text, tool_calls, results, correction, tokens, cost, prompt_digest, at)
    VALUES (${turn.task_id}, ${turn.attempt}, ${turn.turn}, ${turn.call_id}, ${turn.text}, ${tx.json(turn.tool_calls as never)},
            NULL, NULL, ${turn.tokens}, ${String(turn.cost)}, ${turn.prompt_digest}, ${turn.at})`
}

/** What the turn is answered with: the results of its calls, or a correction. */
export async function completeTurn(
  tx: Executor,
  turn: Pick<ModelTurnRow, 'task_id' | 'attempt' | 'turn'>,
  answer: { readonly results: ModelTurnRow['results']; readonly correction: string | null },
): Promise<void> {
  const results = answer.results === null ? null : tx.json(answer.results as never)
  await tx`
    UPDATE model_turns SET results = ${results}, correction = ${answer.correction}
    WHERE task_id = ${turn.task_id} AND attempt = ${turn.attempt} AND turn = ${turn.turn}`
}

/** Whether a model works on a task, or did; `open`: works on it. */
export async function hasModelLoop(sql: Executor, taskId: string, open = false): Promise<boolean> {
  const rows = await sql`
    SELECT 1 FROM model_loops WHERE task_id = ${taskId} ${open ? sql`AND ended_at IS NULL` : sql``} LIMIT 1`
  return rows.length > 0
}

/** What the blueprint says of the step a task belongs to; nothing for a task of its own. */
export async function modelOfStep(
  sql: Executor,
  task: { readonly step_id: string | null; readonly run_id: string | null },
): Promise<{ readonly model: string | null; readonly provider: string | null }> {
  if (task.step_id === null || task.run_id === null) return { model: null, provider: null }
  const [row] = await sql<{ model: string | null; provider: string | null }[]>`
    SELECT inputs->>'model' AS model, inputs->>'provider' AS provider FROM steps
    WHERE run_id = ${task.run_id} AND step_id = ${task.step_id} ORDER BY attempt DESC LIMIT 1`
  return row ?? { model: null, provider: null }
}

export async function promptFile(
  sql: Executor,
  agent: { readonly namespace: string; readonly name: string },
): Promise<{ readonly oid: string; readonly content: string } | null> {
  const [row] = await sql<{ oid: string; content: string }[]>`
    SELECT oid, content FROM prompt_files WHERE namespace = ${agent.namespace} AND agent = ${agent.name}`
  return row ?? null
}

export async function keepPromptFile(
  tx: Executor,
  agent: { readonly namespace: string; readonly name: string },
  file: { readonly oid: string; readonly content: string },
  at: Date,
): Promise<void> {
  await tx`
    INSERT INTO prompt_files (namespace, agent, oid, content, kept_at)
    VALUES (${agent.namespace}, ${agent.name}, ${file.oid}, ${file.content}, ${at})
    ON CONFLICT (namespace, agent) DO UPDATE SET oid = excluded.oid, content = excluded.content, kept_at = excluded.kept_at`
}
