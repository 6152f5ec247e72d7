import Type from 'typebox'
import { pageAlerts } from '../../../store/queries/alerts.ts'
import { type CostSum, sumCosts } from '../../../store/queries/costs.ts'
import {
  agentCounts,
  agentLines,
  attention,
  runCounts,
  taskCounts,
  workCounts,
} from '../../../store/queries/dashboard.ts'
import { route } from '../../http/route.ts'
import { Alert, alertDto, sampleAlert } from '../alerts/alert-dto.ts'
import { amounts } from '../costs/cost-dto.ts'
import { SAMPLE } from '../samples.ts'
import { NamespaceQuery, Nullable, only, Time } from '../schemas.ts'

const Counts = (description: string) => Type.Record(Type.String(), Type.Integer(), { description })

const Amount = {
  amount_usd: Type.String(),
  amount_cents: Type.Number(),
  input_tokens: Type.Integer(),
  output_tokens: Type.Integer(),
}

const Dashboard = Type.Object(
  {
    since: Time,
    agents: Type.Object({
      by_phase: Counts('how many agents are in each phase'),
      items: Type.Array(
        Type.Object({
          namespace: Type.String(),
          name: Type.String(),
          phase: Nullable(Type.String()),
          ready: Nullable(Type.String()),
          message: Nullable(Type.String()),
          open_tasks: Type.Integer(),
        }),
        { description: 'those that are not Ready first; at most 50' },
      ),
    }),
    tasks: Counts('tasks that are open, and those made since, by status'),
    runs: Counts('the same of runs'),
    work: Counts('open items of the work graph, by type'),
    alerts: Type.Array(Alert, { description: 'those that nobody has resolved, the newest first; at most 50' }),
    attention: Type.Array(
      Type.Object({
        kind: Type.Enum(['gate', 'escalation', 'run'], {
          description: 'a gate that waits for somebody, an escalation that is open, a run that failed since',
        }),
        namespace: Type.String(),
        name: Type.String(),
        message: Type.String(),
        since: Time,
      }),
      { description: 'the newest first; at most 50' },
    ),
    cost: Type.Object(
      {
        ...Amount,
        by_agent: Type.Array(Type.Object({ agent: Nullable(Type.String()), ...Amount }), {
          description: 'the dearest first; at most 50',
        }),
      },
      { description: 'what was recorded as spent since' },
    ),
    correlation_id: Type.String(),
  },
  { title: 'Dashboard' },
)

const DAY_MS = 24 * 3_600_000
const SHOWN = 50

const sampleAmount = { amount_usd: '0.0135', amount_cents: 1.35, input_tokens: 2000, output_tokens: 500 }

export const readDashboard = route({
  operation: 'readDashboard',
  method: 'GET',
  path: '/api/v1/dashboard',
  aliases: ['/dashboard'],
  tag: 'server',
  access: 'read',
  summary: 'Read how everything stands, in one call',
  description:
    'Agents, alerts, and open tasks, runs and work as they are now; of what is over, what was made or failed since a time (left out: 24 hours ago).',
  query: only({ ...NamespaceQuery, since: Type.Optional(Time) }),
  answers: { 200: Dashboard },
  example: {
    answer: {
      since: SAMPLE.time,
      agents: {
        by_phase: { Running: 1 },
        items: [
          {
            namespace: 'default',
            name: 'sre',
            phase: 'Running',
            ready: 'True',
            message: '1 of 1 ready',
            open_tasks: 0,
          },
        ],
      },
      tasks: { queued: 1, completed: 12 },
      runs: { running: 1, completed: 4 },
      work: { ticket: 3, task: 7 },
      alerts: [sampleAlert],
      attention: [
        {
          kind: 'gate',
          namespace: 'default',
          name: 'checkmk-auto-remediate-k3q9zt.approve',
          message: 'waits for a decision',
          since: SAMPLE.time,
        },
      ],
      cost: { ...sampleAmount, by_agent: [{ agent: 'sre', ...sampleAmount }] },
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ query, correlationId }, { store: { reader }, clock }) {
    const since = query.since === undefined ? new Date(clock.now().getTime() - DAY_MS) : new Date(query.since)
    const scope = { namespace: query.namespace ?? null, since }
    const filter = { ...scope, project: null, agent: null, model: null, until: null }
    const active = { namespace: scope.namespace, agent: null, severity: null, state: 'active', after: null } as const
    const [byPhase, items, tasks, runs, work, alerts, waiting, [total], byAgent] = await Promise.all([
      agentCounts(reader, scope),
      agentLines(reader, scope, SHOWN),
      taskCounts(reader, scope),
      runCounts(reader, scope),
      workCounts(reader, scope),
      pageAlerts(reader, { ...active, limit: SHOWN }),
      attention(reader, scope, SHOWN),
      sumCosts(reader, filter, [], 1),
      sumCosts(reader, filter, ['agent'], SHOWN),
    ])
    return {
      since: since.toISOString(),
      agents: { by_phase: byPhase, items },
      tasks,
      runs,
      work,
      alerts: alerts.map(alertDto),
      attention: waiting.map((each) => ({ ...each, since: each.since.toISOString() })),
      cost: {
        ...amountOf(total),
        by_agent: byAgent.map((sum) => ({ agent: sum.group[0] ?? null, ...amountOf(sum) })),
      },
      correlation_id: correlationId,
    }
  },
})

function amountOf(sum: CostSum | undefined) {
  return { ...amounts(sum?.amount ?? 0n), input_tokens: sum?.input_tokens ?? 0, output_tokens: sum?.output_tokens ?? 0 }
}
