import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** What a host said last of what it has and uses. */
export interface HostMetricsRow {
  readonly name: string
  readonly hardware: JsonObject | null
  readonly metrics: JsonObject | null
}

/** What the living instances of an agent said last, all of them together; null where none of them says. */
export interface AgentUsageRow {
  readonly namespace: string
  readonly agent: string
  readonly instances: number
  readonly busy: number
  readonly cpu_percent: number | null
  readonly memory_bytes: number | null
  readonly tokens: number
  readonly cost_nano_usd: number
}

export async function hostMetrics(sql: Executor): Promise<HostMetricsRow[]> {
  return sql<HostMetricsRow[]>`SELECT name, hardware, metrics FROM hosts WHERE metrics IS NOT NULL ORDER BY name`
}

export async function agentUsage(sql: Executor): Promise<AgentUsageRow[]> {
  return sql<AgentUsageRow[]>`
    SELECT namespace, agent, count(*)::integer AS instances, (count(*) FILTER (WHERE busy))::integer AS busy,
           sum(cpu_percent)::float8 AS cpu_percent, sum(memory_bytes)::bigint AS memory_bytes,
           sum(tokens)::bigint AS tokens, sum(cost_nano_usd)::bigint AS cost_nano_usd
    FROM instances WHERE ended_at IS NULL GROUP BY namespace, agent ORDER BY namespace, agent`
}
