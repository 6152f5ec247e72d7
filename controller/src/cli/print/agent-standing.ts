import { ageOf } from '../../kinds/printer-cell.ts'
import { tookText } from '../../lib/took.ts'
import type { AgentHealthDto, AgentMetricsDto } from '../client/dto.ts'
import { renderFields, renderSection } from './fields.ts'
import type { DescriptionContext } from './object-description.ts'
import { renderTable } from './table.ts'

/** How an agent and each of its instances stand, and what it did and used so far. */
export function renderStanding(
  { health, metrics }: { readonly health: AgentHealthDto; readonly metrics: AgentMetricsDto },
  context: DescriptionContext,
): string {
  const { colors, now, width } = context
  const head = renderFields(
    [
      ['Status', health.status],
      ['Last heartbeat', health.last_heartbeat === null ? null : `${ageOf(health.last_heartbeat, now)} ago`],
      ['Current task', health.current_task],
    ],
    colors,
  )
  const done = renderFields(
    [
      ['Tasks', tasksOf(metrics)],
      ['Average', metrics.avg_task_ms === null ? null : tookText(metrics.avg_task_ms)],
      ['Used', `${metrics.tokens} tokens, ${metrics.cost_usd} USD`],
      ['Started', `${metrics.instances_started} times`],
    ],
    colors,
  )
  const inner = width === null ? null : width - 2
  return [
    renderSection('Health', head + renderInstances(health, now, inner), colors),
    renderSection('Metrics', done, colors),
  ].join('')
}

function tasksOf(metrics: AgentMetricsDto): string {
  const { tasks_completed, tasks_failed, tasks_cancelled, tasks_leased, tasks_queued } = metrics
  return `${tasks_completed} completed, ${tasks_failed} failed, ${tasks_cancelled} cancelled; ${tasks_leased} under way, ${tasks_queued} queued`
}

function renderInstances({ instances }: AgentHealthDto, now: Date, width: number | null): string {
  if (instances.length === 0) return ''
  const columns = ['Instance', 'Host', 'Health', 'Heard', 'Restarts', 'CPU', 'Memory'].map((head) => ({ head }))
  const rows = instances.map((one) => [
    String(one.ordinal),
    one.host,
    one.health,
    one.last_heartbeat === null ? '-' : ageOf(one.last_heartbeat, now),
    String(one.restarts),
    one.cpu_percent === null ? '-' : `${one.cpu_percent.toFixed(1)} %`,
    one.memory_bytes === null ? '-' : `${Math.round(one.memory_bytes / 1024 / 1024)} MiB`,
  ])
  return renderTable(columns, rows, { width })
}
