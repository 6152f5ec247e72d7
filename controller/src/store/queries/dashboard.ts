import type { Executor } from '../database.ts'

/** What somebody sees first: counts, and what asks for attention. `namespace` null = all; `since` bounds what is over. */
export interface DashboardScope {
  readonly namespace: string | null
  readonly since: Date
}

const inNamespace = (sql: Executor, namespace: string | null) =>
  namespace === null ? sql`` : sql`AND namespace = ${namespace}`

export interface AgentLine {
  readonly namespace: string
  readonly name: string
  readonly phase: string | null
  readonly ready: string | null
  readonly message: string | null
  readonly open_tasks: number
}

/** The agents that are not Ready first, then by name. */
export async function agentLines(sql: Executor, { namespace }: DashboardScope, limit: number): Promise<AgentLine[]> {
  return sql<AgentLine[]>`
    SELECT o.namespace, o.name, o.status ->> 'phase' AS phase, c.ready ->> 'status' AS ready, c.ready ->> 'message' AS message,
      (SELECT count(*) FROM tasks t WHERE t.namespace = o.namespace AND t.agent = o.name AND t.status IN ('queued', 'leased'))::integer AS open_tasks
    FROM v_objects o
      LEFT JOIN LATERAL (
        SELECT each AS ready FROM jsonb_array_elements(o.status -> 'conditions') each WHERE each ->> 'type' = 'Ready' LIMIT 1
      ) c ON true
    WHERE o.kind = 'Agent' AND o.deletion_timestamp IS NULL ${namespace === null ? sql`` : sql`AND o.namespace = ${namespace}`}
    ORDER BY (c.ready ->> 'status' IS NOT DISTINCT FROM 'True'), o.namespace, o.name LIMIT ${limit}`
}

export async function agentCounts(sql: Executor, { namespace }: DashboardScope): Promise<Record<string, number>> {
  const rows = await sql<{ phase: string; count: number }[]>`
    SELECT coalesce(status ->> 'phase', 'Pending') AS phase, count(*)::integer AS count FROM v_objects
    WHERE kind = 'Agent' AND deletion_timestamp IS NULL ${inNamespace(sql, namespace)} GROUP BY 1`
  return Object.fromEntries(rows.map(({ phase, count }) => [phase, count]))
}

/** Tasks that are open, and those made since. */
export async function taskCounts(sql: Executor, scope: DashboardScope): Promise<Record<string, number>> {
  const rows = await sql<{ status: string; count: number }[]>`
    SELECT status, count(*)::integer AS count FROM (
      SELECT status, namespace FROM tasks WHERE created_at >= ${scope.since}
      UNION ALL
      SELECT status, namespace FROM tasks WHERE status IN ('queued', 'leased') AND created_at < ${scope.since}
    ) both_halves WHERE true ${inNamespace(sql, scope.namespace)} GROUP BY 1`
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
}

/** Runs that are open, and those made since. */
export async function runCounts(sql: Executor, scope: DashboardScope): Promise<Record<string, number>> {
  const rows = await sql<{ status: string; count: number }[]>`
    SELECT status, count(*)::integer AS count FROM (
      SELECT status, namespace FROM runs WHERE created_at >= ${scope.since}
      UNION ALL
      SELECT status, namespace FROM runs WHERE status IN ('created', 'running') AND created_at < ${scope.since}
    ) both_halves WHERE true ${inNamespace(sql, scope.namespace)} GROUP BY 1`
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
}

/** Work that is open, by type. */
export async function workCounts(sql: Executor, { namespace }: DashboardScope): Promise<Record<string, number>> {
  const rows = await sql<{ type: string; count: number }[]>`
    SELECT type, count(*)::integer AS count FROM work_items
    WHERE phase = 'open' ${inNamespace(sql, namespace)} GROUP BY 1`
  return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
}

export interface Attention {
  readonly kind: 'gate' | 'escalation' | 'run'
  readonly namespace: string
  readonly name: string
  readonly message: string
  readonly since: Date
}

/** What waits for a person, and what has gone wrong since; the newest first. */
export async function attention(sql: Executor, scope: DashboardScope, limit: number): Promise<Attention[]> {
  const { namespace, since } = scope
  return sql<Attention[]>`
    SELECT * FROM (
      (SELECT 'gate' AS kind, r.namespace, r.name || '.' || g.path AS name, 'waits for a decision' AS message, g.created_at AS since
       FROM gates g JOIN runs r ON r.run_id = g.run_id
       WHERE g.state = 'waiting' ${namespace === null ? sql`` : sql`AND r.namespace = ${namespace}`}
       ORDER BY g.created_at DESC LIMIT ${limit})
      UNION ALL
      (SELECT 'escalation', namespace, name, title, created_at FROM escalations
       WHERE phase = 'open' ${inNamespace(sql, namespace)} ORDER BY created_at DESC LIMIT ${limit})
      UNION ALL
      (SELECT 'run', namespace, name, coalesce(error ->> 'message', 'the run failed'), completed_at FROM runs
       WHERE status = 'failed' AND completed_at >= ${since} ${inNamespace(sql, namespace)} ORDER BY completed_at DESC LIMIT ${limit})
    ) a ORDER BY since DESC LIMIT ${limit}`
}
