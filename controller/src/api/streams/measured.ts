import { formatUsd } from '../../lib/usd.ts'
import type { Executor } from '../../store/database.ts'
import { agentUsage, hostMetrics } from '../../store/queries/live-metrics.ts'
import type { MetricsSource } from './metrics-feed.ts'

/** What hosts and agents said last, as pages get it. */
export async function measured(sql: Executor): Promise<MetricsSource> {
  const [hosts, agents] = await Promise.all([hostMetrics(sql), agentUsage(sql)])
  return {
    hosts: hosts.map(({ name, hardware, metrics }) => ({
      key: `host ${name}`,
      value: { host: name, hardware, metrics },
    })),
    agents: agents.map(({ cost_nano_usd, ...row }) => ({
      key: `agent ${row.namespace}/${row.agent}`,
      value: { ...row, cost_usd: formatUsd(BigInt(cost_nano_usd)) },
    })),
  }
}
