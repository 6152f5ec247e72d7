import type { Executor } from '../database.ts'

/** A daemon that lives, as far as its health needs it. */
export interface DaemonRow {
  readonly id: string
  readonly agent_uid: string
  readonly namespace: string
  readonly agent: string
  readonly ordinal: number
  readonly health: 'starting' | 'healthy' | 'late' | 'silent'
  readonly created_at: Date
  readonly registered_at: Date | null
  readonly last_heartbeat_at: Date | null
}

/** Daemons whose health can still get worse. */
export async function daemonsToWatch(sql: Executor): Promise<DaemonRow[]> {
  return sql<DaemonRow[]>`
    SELECT id, agent_uid, namespace, agent, ordinal, health, created_at, registered_at, last_heartbeat_at
    FROM instances WHERE ended_at IS NULL AND mode = 'daemon' AND state <> 'stopping' AND health <> 'silent'`
}

/** False when it reported meanwhile, has ended, or is known to be so. */
export async function setHealth(
  tx: Executor,
  instance: Pick<DaemonRow, 'id' | 'health' | 'last_heartbeat_at'>,
  health: DaemonRow['health'],
): Promise<boolean> {
  const result = await tx`
    UPDATE instances SET health = ${health}
    WHERE id = ${instance.id} AND health = ${instance.health} AND ended_at IS NULL
      AND last_heartbeat_at IS NOT DISTINCT FROM ${instance.last_heartbeat_at}`
  return result.count === 1
}

/** An instance that lives, as people see it, with the oldest task it holds. */
export interface LiveInstanceRow extends DaemonRow {
  readonly host: string
  readonly mode: 'daemon' | 'perTask'
  readonly state: 'starting' | 'running' | 'stopping'
  readonly busy: boolean
  readonly slots: number
  readonly restart_count: number
  readonly tokens: number
  readonly cost_nano_usd: number
  readonly cpu_percent: number | null
  readonly memory_bytes: number | null
  readonly current_task: string | null
}

export async function liveInstances(sql: Executor, agentUids: readonly string[]): Promise<LiveInstanceRow[]> {
  if (agentUids.length === 0) return []
  return sql<LiveInstanceRow[]>`
    SELECT i.id, i.agent_uid, i.namespace, i.agent, i.ordinal, i.health, i.created_at, i.registered_at, i.last_heartbeat_at,
           i.host, i.mode, i.state, i.busy, i.slots, i.restart_count, i.tokens, i.cost_nano_usd, i.cpu_percent, i.memory_bytes,
           (SELECT t.task_id FROM tasks t WHERE t.instance_id = i.id AND t.status = 'leased' ORDER BY t.created_at LIMIT 1)
             AS current_task
    FROM instances i WHERE i.agent_uid = ANY(${[...agentUids]}::uuid[]) AND i.ended_at IS NULL ORDER BY i.ordinal`
}

/** What agents did and used, one row for each that did anything. */
export interface AgentMetricsRow {
  readonly namespace: string
  readonly agent: string
  readonly queued: number
  readonly leased: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  /** Between taking a task and its end, of tasks that completed; null when there are none. */
  readonly avg_task_ms: number | null
  readonly tokens: number
  readonly cost_nano_usd: number
  readonly instances_started: number
}

/**
 * Of one agent, or (`agent` null) of all of a namespace or of everywhere. Usage is what instances reported, or the sum of
 * what their results said when that is more. `since` leaves out tasks and instances that were made before.
 */
export async function agentMetrics(
  sql: Executor,
  of: { readonly namespace: string | null; readonly agent: string | null; readonly since: Date | null },
): Promise<AgentMetricsRow[]> {
  const where = (table: 't' | 'i') => sql`
    (${of.namespace}::text IS NULL OR ${sql(table)}.namespace = ${of.namespace})
    AND (${of.agent}::text IS NULL OR ${sql(table)}.agent = ${of.agent})
    AND (${of.since}::timestamptz IS NULL OR ${sql(table)}.created_at >= ${of.since})`
  return sql<AgentMetricsRow[]>`
    WITH done AS (
      SELECT namespace, agent,
             count(*) FILTER (WHERE status = 'queued') AS queued, count(*) FILTER (WHERE status = 'leased') AS leased,
             count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed,
             count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
             avg(extract(epoch FROM completed_at - leased_at) * 1000) FILTER (WHERE status = 'completed')::float8 AS avg_task_ms,
             sum(tokens)::bigint AS tokens, sum(cost_nano_usd)::bigint AS cost_nano_usd
      FROM tasks t WHERE ${where('t')} GROUP BY namespace, agent
    ), ran AS (
      SELECT namespace, agent, count(*) AS instances_started, sum(tokens)::bigint AS tokens, sum(cost_nano_usd)::bigint AS cost_nano_usd
      FROM instances i WHERE ${where('i')} GROUP BY namespace, agent
    )
    SELECT coalesce(d.namespace, r.namespace) AS namespace, coalesce(d.agent, r.agent) AS agent,
           coalesce(d.queued, 0) AS queued, coalesce(d.leased, 0) AS leased, coalesce(d.completed, 0) AS completed,
           coalesce(d.failed, 0) AS failed, coalesce(d.cancelled, 0) AS cancelled, d.avg_task_ms,
           greatest(coalesce(d.tokens, 0), coalesce(r.tokens, 0)) AS tokens,
           greatest(coalesce(d.cost_nano_usd, 0), coalesce(r.cost_nano_usd, 0)) AS cost_nano_usd,
           coalesce(r.instances_started, 0) AS instances_started
    FROM done d FULL JOIN ran r ON r.namespace = d.namespace AND r.agent = d.agent
    ORDER BY 1, 2`
}
