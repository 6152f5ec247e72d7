import Type, { type Static } from 'typebox'
import { usdText } from '../../../lib/money.ts'
import {
  agentCounts,
  agentLines,
  attention,
  runCounts,
  type Spending,
  spending,
  taskCounts,
  workCounts,
} from '../../../store/queries/dashboard.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { NamespaceQuery, Nullable, only, Time } from '../schemas.ts'

const Counts = (description: string) => Type.Record(Type.String(), Type.Integer(), { description })

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
    alerts: Type.Array(
      Type.Object({
        kind: Type.Enum(['alert', 'gate', 'escalation', 'run'], {
          description:
            'an alert that is not resolved, a gate that waits for somebody, an escalation that is open, a run that failed since',
        }),
        namespace: Type.String(),
        name: Type.String(),
        message: Type.String(),
        since: Time,
      }),
      { description: 'the newest first; at most 50' },
    ),
    cost: Type.Object({
      tokens: Type.Integer(),
      cost_usd: Type.String(),
      by_agent: Type.Array(
        Type.Object({
          namespace: Type.String(),
          agent: Type.String(),
          tokens: Type.Integer(),
          cost_usd: Type.String(),
        }),
        { description: 'what agents spent since, the costliest first; at most 50' },
      ),
    }),
    correlation_id: Type.String(),
  },
  { title: 'Dashboard' },
)

const DAY_MS = 24 * 3_600_000
const SHOWN = 50

export const readDashboard = route({
  operation: 'readDashboard',
  method: 'GET',
  path: '/api/v1/dashboard',
  aliases: ['/dashboard'],
  tag: 'server',
  access: 'read',
  summary: 'Read how everything stands, in one call',
  description:
    'Agents and open tasks, runs and work as they are now; of what is over, what was made or failed since a time (left out: 24 hours ago).',
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
      alerts: [
        {
          kind: 'gate',
          namespace: 'default',
          name: 'checkmk-auto-remediate-k3q9zt.approve',
          message: 'waits for a decision',
          since: SAMPLE.time,
        },
      ],
      cost: {
        tokens: 1200,
        cost_usd: '0.00018',
        by_agent: [{ namespace: 'default', agent: 'sre', tokens: 1200, cost_usd: '0.00018' }],
      },
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ query, correlationId }, { store: { reader }, clock }) {
    const since = query.since === undefined ? new Date(clock.now().getTime() - DAY_MS) : new Date(query.since)
    const scope = { namespace: query.namespace ?? null, since }
    const [byPhase, items, tasks, runs, work, alerts, costs] = await Promise.all([
      agentCounts(reader, scope),
      agentLines(reader, scope, SHOWN),
      taskCounts(reader, scope),
      runCounts(reader, scope),
      workCounts(reader, scope),
      attention(reader, scope, SHOWN),
      spending(reader, scope, SHOWN),
    ])
    return {
      since: since.toISOString(),
      agents: { by_phase: byPhase, items },
      tasks,
      runs,
      work,
      alerts: alerts.map((each) => ({ ...each, since: each.since.toISOString() })),
      cost: costOf(costs),
      correlation_id: correlationId,
    }
  },
})

function costOf(rows: readonly Spending[]): Static<typeof Dashboard>['cost'] {
  const sum = (of: (row: Spending) => number) => rows.reduce((total, row) => total + of(row), 0)
  return {
    tokens: sum((row) => row.tokens),
    cost_usd: usdText(sum((row) => row.cost_nano_usd)),
    by_agent: rows.map(({ namespace, agent, tokens, cost_nano_usd }) => ({
      namespace,
      agent,
      tokens,
      cost_usd: usdText(cost_nano_usd),
    })),
  }
}
