import type { Executor } from '../database.ts'

/** What happened to a target since a time. */
export interface Measured {
  readonly ended: number
  readonly failed: number
  readonly tokens: number
  /** Nano-USD. */
  readonly amount: bigint
  readonly toolCalls: number
  readonly steps: number
  readonly restarts: number
  /** The same call, as often as it was made most. */
  readonly repeated: number
}

interface Target {
  readonly namespace: string
  readonly name: string
}

type Sent = Omit<Measured, 'amount'> & { readonly amount: string }

/**
 * An agent: how its tasks ended, what it spent, and what the runs that it started do. A call is the same when the same
 * step of the same plan, in whatever iteration or run, asks for the same; a task, when the same is asked of the same agent.
 */
export async function measureAgent(sql: Executor, { namespace, name }: Target, since: Date): Promise<Measured> {
  const actor = `agent:${namespace}/${name}`
  const [row] = await sql<Sent[]>`
    WITH own AS MATERIALIZED (
      SELECT run_id, plan_digest FROM runs
      WHERE namespace = ${namespace} AND actor = ${actor} AND (created_at >= ${since} OR status IN ('created', 'running'))
    ), done AS MATERIALIZED (
      SELECT s.kind, s.inputs, own.plan_digest, regexp_replace(s.path, '\[[0-9]+\]', '[]', 'g') AS place
      FROM own JOIN steps s USING (run_id) WHERE s.started_at >= ${since}
    ), asked AS MATERIALIZED (
      SELECT agent, prompt, inputs FROM tasks WHERE namespace = ${namespace} AND created_by = ${actor} AND created_at >= ${since}
    ), ends AS (
      SELECT count(*)::integer AS ended, (count(*) FILTER (WHERE status = 'failed'))::integer AS failed
      FROM tasks WHERE namespace = ${namespace} AND agent = ${name} AND status IN ('completed', 'failed') AND completed_at >= ${since}
    ), spent AS (
      SELECT coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(amount), 0)::text AS amount
      FROM ledger_entries WHERE namespace = ${namespace} AND agent = ${name} AND occurred_at >= ${since}
    )
    SELECT ends.ended, ends.failed, spent.tokens, spent.amount,
           (SELECT count(*)::integer FROM done WHERE kind = 'action_task') AS "toolCalls",
           (SELECT count(*)::integer FROM done) AS steps,
           (SELECT count(*)::integer FROM instances WHERE namespace = ${namespace} AND agent = ${name} AND created_at >= ${since} AND restart_count > 0) AS restarts,
           greatest(
             (SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM done WHERE kind = 'action_task' GROUP BY plan_digest, place, md5(inputs::text)) AS calls),
             (SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM asked GROUP BY agent, md5(prompt || inputs::text)) AS tasks)
           )::integer AS repeated
    FROM ends, spent`
  return { ...row!, amount: BigInt(row!.amount) }
}

/** A tool: how its calls ended, of all that have effects or cost something, and what they cost. */
export async function measureTool(sql: Executor, { namespace, name }: Target, since: Date): Promise<Measured> {
  const [row] = await sql<Sent[]>`
    WITH calls AS MATERIALIZED (
      SELECT e.state, e.request_digest FROM runs r JOIN effects e USING (run_id)
      WHERE r.namespace = ${namespace} AND (r.created_at >= ${since} OR r.completed_at IS NULL OR r.completed_at >= ${since})
        AND e.tool = ${name} AND e.created_at >= ${since}
    ), spent AS (
      SELECT coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(amount), 0)::text AS amount
      FROM ledger_entries WHERE namespace = ${namespace} AND tool = ${name} AND occurred_at >= ${since}
    )
    SELECT (SELECT count(*)::integer FROM calls WHERE state IN ('succeeded', 'failed')) AS ended,
           (SELECT count(*)::integer FROM calls WHERE state = 'failed') AS failed,
           spent.tokens, spent.amount,
           (SELECT count(*)::integer FROM calls) AS "toolCalls", 0 AS steps, 0 AS restarts,
           (SELECT coalesce(max(n), 0)::integer FROM (SELECT count(*) AS n FROM calls GROUP BY request_digest) AS same) AS repeated
    FROM spent`
  return { ...row!, amount: BigInt(row!.amount) }
}
