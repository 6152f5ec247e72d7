import Type, { type Static } from 'typebox'
import { atTime, BUDGET_ACTIONS, remainingOf } from '../../../budgets/account.ts'
import { exhaustedAt, FORECAST_DAYS, forecastOf } from '../../../budgets/forecast.ts'
import { accountOf } from '../../../budgets/rows.ts'
import { formatUsd } from '../../../lib/usd.ts'
import type { Executor } from '../../../store/database.ts'
import type { BudgetRow } from '../../../store/queries/budgets.ts'
import { sumOfScope } from '../../../store/queries/costs.ts'
import type { ReservationRow } from '../../../store/queries/reservations.ts'
import { descendantsOf } from '../../../store/queries/spenders.ts'
import { SAMPLE } from '../samples.ts'
import { Name, Nullable, Time, Uuid } from '../schemas.ts'

const Usd = Type.String({ description: 'US dollars, decimal' })
const DAY_MS = 86_400_000

export const Budget = Type.Object(
  {
    namespace: Type.String(),
    name: Name,
    scope: Type.Object({ kind: Type.String(), name: Type.String() }),
    action: Type.Enum([...BUDGET_ACTIONS]),
    window: Type.String(),
    window_start: Time,
    window_end: Nullable(Time),
    max_usd: Usd,
    used_usd: Usd,
    reserved_usd: { ...Usd, description: 'kept for what has not ended' },
    remaining_usd: { ...Usd, description: 'neither used nor reserved' },
    last_days_usd: { ...Usd, description: `spent in the last ${FORECAST_DAYS} days` },
    forecast_usd: { ...Usd, description: 'what the window will have cost when it ends, at the pace of the last days' },
    runs_out_at: Nullable({ ...Time, description: 'when nothing is left at that pace; null = not in this window' }),
    alert_threshold_percent: Type.Array(Type.Integer()),
    exhausted_at: Nullable({ ...Time, description: 'since when something has had to wait, or was refused' }),
    proposal: Nullable(Type.String({ description: 'branch on which a higher limit is proposed' })),
  },
  { title: 'Budget' },
)

/** A budget as it stands now, with what it will come to. */
export async function budgetDto(sql: Executor, row: BudgetRow, now: Date): Promise<Static<typeof Budget>> {
  const account = atTime(accountOf(row), now)
  const { namespace, name, scope_kind: kind, scope_name } = row
  const agents = kind === 'Agent' ? await descendantsOf(sql, namespace, scope_name) : []
  const since = new Date(now.getTime() - FORECAST_DAYS * DAY_MS)
  const spent = await sumOfScope(sql, { kind, namespace, name: scope_name, agents }, since, now)
  const { used, max, reserved, window } = account
  const pace = { used, max, end: window.end }
  return {
    namespace,
    name,
    scope: { kind, name: scope_name },
    action: account.action,
    window: account.period,
    window_start: window.start.toISOString(),
    window_end: window.end?.toISOString() ?? null,
    max_usd: formatUsd(max),
    used_usd: formatUsd(used),
    reserved_usd: formatUsd(reserved),
    remaining_usd: formatUsd(remainingOf(account)),
    last_days_usd: formatUsd(spent),
    forecast_usd: formatUsd(forecastOf(pace, spent, now)),
    runs_out_at: exhaustedAt(pace, spent, now)?.toISOString() ?? null,
    alert_threshold_percent: [...account.thresholds],
    exhausted_at: account.exhaustedAt?.toISOString() ?? null,
    proposal: row.proposal,
  }
}

export const Reservation = Type.Object(
  {
    id: Type.String({ description: 'of what is paid for: `<run>/<step path>/<attempt>`' }),
    state: Type.Enum(['waiting', 'reserved'], { description: 'waiting: there is no money for it' }),
    amount_usd: Usd,
    reported_usd: { ...Usd, description: 'of it, what was reported and is spent already' },
    namespace: Type.String(),
    project: Nullable(Type.String()),
    agent: Nullable(Type.String()),
    blueprint: Nullable(Type.String()),
    run_id: Nullable(Uuid),
    step: Nullable(Type.String()),
    tool: Nullable(Type.String()),
    created_at: Time,
  },
  { title: 'Reservation' },
)

export function reservationDto(row: ReservationRow): Static<typeof Reservation> {
  const { id, state, amount, reported, namespace, project, agents, blueprint, run_id, step, tool, created_at } = row
  return {
    ...{ id, namespace, project, blueprint, run_id, step, tool },
    state: state === 'waiting' ? 'waiting' : 'reserved',
    amount_usd: formatUsd(amount),
    reported_usd: formatUsd(reported),
    agent: agents[0] ?? null,
    created_at: created_at.toISOString(),
  }
}

export const sampleBudget: Static<typeof Budget> = {
  namespace: 'default',
  name: 'platform-monthly',
  scope: { kind: 'Project', name: 'platform' },
  action: 'Pause',
  window: 'month',
  window_start: '2026-03-01T00:00:00.000Z',
  window_end: '2026-04-01T00:00:00.000Z',
  max_usd: '25',
  used_usd: '18.2',
  reserved_usd: '0.4',
  remaining_usd: '6.4',
  last_days_usd: '4.9',
  forecast_usd: '20.8',
  runs_out_at: null,
  alert_threshold_percent: [80, 95],
  exhausted_at: null,
  proposal: null,
}

export const sampleReservation: Static<typeof Reservation> = {
  id: `${SAMPLE.run}/analyze/1`,
  state: 'reserved',
  amount_usd: '0.4',
  reported_usd: '0',
  namespace: 'default',
  project: 'platform',
  agent: 'sre',
  blueprint: 'auto-remediate',
  run_id: SAMPLE.run,
  step: 'analyze',
  tool: null,
  created_at: SAMPLE.time,
}
