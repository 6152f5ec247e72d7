import Type from 'typebox'
import { blame } from '../../../budgets/blame.ts'
import { FORECAST_DAYS, forecastOf } from '../../../budgets/forecast.ts'
import { windowAt } from '../../../budgets/window.ts'
import { formatUsd } from '../../../lib/usd.ts'
import { COST_GROUPS, type CostGroup, spentByRevision, sumCosts } from '../../../store/queries/costs.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, NamespaceQuery, Nullable, only, Time } from '../schemas.ts'

const Usd = Type.String({ description: 'US dollars, decimal' })
const DAY_MS = 86_400_000
const MOST = 1000
const WINDOWS = ['day', 'week', 'month'] as const

const Pace = {
  last_days_usd: { ...Usd, description: `spent in the last ${FORECAST_DAYS} days` },
  window_usd: { ...Usd, description: 'spent in the window until now' },
  forecast_usd: { ...Usd, description: 'what the window will have cost when it ends, at that pace' },
}

export const forecastCosts = route({
  operation: 'forecastCosts',
  method: 'GET',
  path: '/api/v1/costs/forecast',
  aliases: ['/costs/forecast'],
  tag: 'costs',
  access: 'read',
  summary: 'Say what will be spent',
  description: `What was spent in the window until now, and the pace of the last ${FORECAST_DAYS} days for the rest of it. Windows are those of the calendar, in UTC.`,
  query: only({
    ...NamespaceQuery,
    project: Type.Optional(Name),
    agent: Type.Optional(Name),
    window: Type.Enum([...WINDOWS], { default: 'month' }),
    group_by: Type.Enum([...COST_GROUPS], { default: 'agent' }),
  }),
  answers: {
    200: Type.Object(
      {
        window_start: Time,
        window_end: Time,
        group_by: Type.Enum([...COST_GROUPS]),
        items: Type.Array(Type.Object({ group: Nullable(Type.String()), ...Pace })),
        total: Type.Object(Pace),
        correlation_id: Type.String(),
      },
      { title: 'CostForecast' },
    ),
  },
  example: {
    query: { group_by: 'project', window: 'month' },
    answer: {
      window_start: '2026-03-01T00:00:00.000Z',
      window_end: '2026-04-01T00:00:00.000Z',
      group_by: 'project',
      items: [{ group: 'platform', last_days_usd: '4.90', window_usd: '18.20', forecast_usd: '20.65' }],
      total: { last_days_usd: '4.90', window_usd: '18.20', forecast_usd: '20.65' },
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ query, correlationId }, { store: { reader }, clock }) {
    const now = clock.now()
    const { start, end } = windowAt(query.window, now)
    const filter = {
      namespace: query.namespace ?? null,
      project: query.project ?? null,
      agent: query.agent ?? null,
      model: null,
      until: now,
    }
    const group: CostGroup = query.group_by
    const last = new Date(now.getTime() - FORECAST_DAYS * DAY_MS)
    const [recent, inWindow] = await Promise.all([
      sumCosts(reader, { ...filter, since: last }, [group], MOST),
      sumCosts(reader, { ...filter, since: start }, [group], MOST),
    ])
    const names = [...new Set([...inWindow, ...recent].map((sum) => sum.group[0] ?? null))]
    const amountOf = (sums: typeof recent, name: string | null) =>
      sums.find((sum) => (sum.group[0] ?? null) === name)?.amount ?? 0n
    const paceOf = (spent: bigint, used: bigint) => ({
      last_days_usd: formatUsd(spent),
      window_usd: formatUsd(used),
      forecast_usd: formatUsd(forecastOf({ used, end }, spent, now)),
    })
    const all = (sums: typeof recent) => sums.reduce((sum, { amount }) => sum + amount, 0n)
    return {
      window_start: start.toISOString(),
      window_end: end!.toISOString(),
      group_by: group,
      items: names.map((name) => ({ group: name, ...paceOf(amountOf(recent, name), amountOf(inWindow, name)) })),
      total: paceOf(all(recent), all(inWindow)),
      correlation_id: correlationId,
    }
  },
})

export const blameCosts = route({
  operation: 'blameCosts',
  method: 'GET',
  path: '/api/v1/costs/blame',
  aliases: ['/costs/blame'],
  tag: 'costs',
  access: 'read',
  summary: 'Say which commits made the spending',
  description:
    'Every version of a blueprint that spent something, with the commit that made it so, what a run of it costs, what a run of the version before cost, and what it added by that; the most first. Agents count here with what they spent outside of runs.',
  query: only({
    ...NamespaceQuery,
    project: Type.Optional(Name),
    blueprint: Type.Optional(Name),
    agent: Type.Optional(Name),
    since: Type.Optional({ ...Time, description: 'from this time on' }),
  }),
  answers: {
    200: Type.Object(
      {
        items: Type.Array(
          Type.Object({
            kind: Type.Enum(['Blueprint', 'Agent']),
            namespace: Type.String(),
            name: Type.String(),
            revision: Type.String({ description: 'the commit' }),
            actor: Nullable(Type.String({ description: 'who brought it' })),
            first_at: Time,
            runs: Type.Integer({ description: 'runs, or tasks outside of runs' }),
            amount_usd: Usd,
            per_run_usd: Usd,
            before_per_run_usd: Nullable({ ...Usd, description: 'of the version before; null = none is known' }),
            added_usd: { ...Usd, description: 'what it cost more than the version before would have; with - less' },
          }),
        ),
        correlation_id: Type.String(),
      },
      { title: 'CostBlame' },
    ),
  },
  example: {
    query: { blueprint: 'auto-remediate' },
    answer: {
      items: [
        {
          kind: 'Blueprint',
          namespace: 'default',
          name: 'auto-remediate',
          revision: SAMPLE.revision,
          actor: 'user:ada',
          first_at: SAMPLE.time,
          runs: 20,
          amount_usd: '6.00',
          per_run_usd: '0.30',
          before_per_run_usd: '0.10',
          added_usd: '4.00',
        },
      ],
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ query, correlationId }, { store: { reader } }) {
    const { namespace = null, project = null, blueprint = null, agent = null, since } = query
    const filter = { namespace, project, blueprint, agent, model: null, until: null }
    const spent = await spentByRevision(reader, { ...filter, since: since === undefined ? null : new Date(since) })
    return {
      items: blame(spent)
        .slice(0, MOST)
        .map(({ kind, namespace: of, name, revision, actor, runs, amount, first, perRun, perRunBefore, added }) => ({
          ...{ kind, namespace: of, name, revision, actor, runs },
          first_at: first.toISOString(),
          amount_usd: formatUsd(amount),
          per_run_usd: formatUsd(perRun),
          before_per_run_usd: perRunBefore === null ? null : formatUsd(perRunBefore),
          added_usd: added < 0n ? `-${formatUsd(-added)}` : formatUsd(added),
        })),
      correlation_id: correlationId,
    }
  },
})
