import Type, { type Static } from 'typebox'
import { formatUsd } from '../../../lib/usd.ts'
import { type AgentMetricsRow, agentMetrics } from '../../../store/queries/agent-health.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { NamespaceQuery, Nullable, only, Reference, Time } from '../schemas.ts'
import { findAgentFor } from './find-agent.ts'

const Since = Type.Optional(
  Type.String({ format: 'date-time', description: 'only tasks and instances made then or later' }),
)

const counters = {
  tokens: Type.Integer({ description: 'as instances and results reported them' }),
  cost_usd: Type.String(),
  cost_cents: Type.Number(),
  tasks_completed: Type.Integer(),
  tasks_failed: Type.Integer(),
  tasks_cancelled: Type.Integer(),
  tasks_queued: Type.Integer(),
  tasks_leased: Type.Integer(),
  avg_task_ms: Nullable(Type.Number({ description: 'from taking a task to its end, of those that completed' })),
  instances_started: Type.Integer(),
}

const AgentMetrics = Type.Object(
  { id: Type.String(), name: Type.String(), namespace: Type.String(), ...counters },
  { title: 'AgentMetrics' },
)

const MetricsSummary = Type.Object(
  {
    agents: Type.Record(Type.String(), Type.Integer(), { description: 'how many agents stand how' }),
    totals: Type.Object(counters, { title: 'AgentTotals' }),
    by_agent: Type.Array(
      Type.Object({ name: Type.String(), namespace: Type.String(), ...counters }, { title: 'AgentShare' }),
      { description: 'the costliest first, at most 100' },
    ),
    generated_at: Time,
  },
  { title: 'AgentMetricsSummary' },
)

const SHOWN = 100

const sampleCounters = {
  tokens: 1200,
  cost_usd: '0.00018',
  cost_cents: 0.018,
  tasks_completed: 4,
  tasks_failed: 0,
  tasks_cancelled: 0,
  tasks_queued: 1,
  tasks_leased: 1,
  avg_task_ms: 2150.5,
  instances_started: 1,
}

export const readAgentMetrics = route({
  operation: 'readAgentMetrics',
  method: 'GET',
  path: '/api/v1/agents/{agent}/metrics',
  aliases: ['/agents/{agent}/metrics'],
  tag: 'agents',
  access: 'read',
  summary: 'Read what an agent did and used: tokens, tasks, cost',
  description: '`{agent}` is the uid, the `agentId` or the name of the agent.',
  params: Type.Object({ agent: Reference }),
  query: only({ ...NamespaceQuery, since: Since }),
  answers: { 200: AgentMetrics },
  example: {
    params: { agent: 'sre' },
    answer: { id: SAMPLE.agent, name: 'sre', namespace: 'default', ...sampleCounters },
  },
  async answer({ params, query, principal }, context) {
    const { uid, namespace, name } = await findAgentFor(context, params.agent, query.namespace, principal)
    const [row] = await agentMetrics(context.store.reader, { namespace, agent: name, since: sinceOf(query) })
    return { id: uid, name, namespace, ...countersOf(row === undefined ? [] : [row]) }
  },
})

export const readAgentsSummary = route({
  operation: 'readAgentsSummary',
  method: 'GET',
  path: '/api/v1/agents/metrics/summary',
  aliases: ['/agents/metrics/summary'],
  tag: 'agents',
  access: 'read',
  summary: 'Read what all agents did and used, and how many stand how',
  query: only({ ...NamespaceQuery, since: Since }),
  answers: { 200: MetricsSummary },
  example: {
    answer: {
      agents: { healthy: 1, paused: 0 },
      totals: sampleCounters,
      by_agent: [{ name: 'sre', namespace: 'default', ...sampleCounters }],
      generated_at: SAMPLE.time,
    },
  },
  async answer({ query }, { store, services, clock }) {
    const namespace = query.namespace ?? null
    const rows = await agentMetrics(store.reader, { namespace, agent: null, since: sinceOf(query) })
    const costliest = rows.toSorted((a, b) => b.cost_nano_usd - a.cost_nano_usd || b.completed - a.completed)
    return {
      agents: { ...(await services.agentReaders.countByHealth()) },
      totals: countersOf(rows),
      by_agent: costliest
        .slice(0, SHOWN)
        .map((row) => ({ name: row.agent, namespace: row.namespace, ...countersOf([row]) })),
      generated_at: clock.now().toISOString(),
    }
  },
})

function sinceOf({ since }: { readonly since?: string }): Date | null {
  return since === undefined ? null : new Date(since)
}

type Counters = Omit<Static<typeof AgentMetrics>, 'id' | 'name' | 'namespace'>

function countersOf(rows: readonly AgentMetricsRow[]): Counters {
  const sum = (of: (row: AgentMetricsRow) => number) => rows.reduce((total, row) => total + of(row), 0)
  const completed = sum((row) => row.completed)
  const nano = sum((row) => row.cost_nano_usd)
  return {
    tokens: sum((row) => row.tokens),
    cost_usd: formatUsd(nano),
    cost_cents: nano / 10_000_000,
    tasks_completed: completed,
    tasks_failed: sum((row) => row.failed),
    tasks_cancelled: sum((row) => row.cancelled),
    tasks_queued: sum((row) => row.queued),
    tasks_leased: sum((row) => row.leased),
    avg_task_ms: completed === 0 ? null : sum((row) => (row.avg_task_ms ?? 0) * row.completed) / completed,
    instances_started: sum((row) => row.instances_started),
  }
}
