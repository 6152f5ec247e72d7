import Type, { type Static } from 'typebox'
import { centsOf, formatUsd } from '../../../lib/usd.ts'
import { COST_GROUPS, type CostRow } from '../../../store/queries/costs.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time, Uuid } from '../schemas.ts'

const Text = Nullable(Type.String())
const Amount = {
  amount_usd: Type.String({ description: 'US dollars, decimal' }),
  amount_cents: Type.Number({ description: 'the same in cents, rounded to a hundredth of one' }),
}
const Tokens = {
  tokens: Type.Integer({ description: 'of both kinds, and of tasks that did not say which' }),
  input_tokens: Type.Integer(),
  output_tokens: Type.Integer(),
}

export const Cost = Type.Object(
  {
    id: Uuid,
    occurred_at: Time,
    recorded_at: Time,
    namespace: Type.String(),
    project: Text,
    agent: Text,
    provider: Text,
    model: Text,
    task_id: Nullable(Uuid),
    run_id: Nullable(Uuid),
    step: Text,
    blueprint: Text,
    tool: Text,
    revision: Nullable(Type.String({ description: 'the commit that what was run is pinned to' })),
    usage: Type.Enum(['reported', 'declared', 'unknown'], {
      description: 'who says so: whoever spent it, its declaration, or nobody; then what was reserved counts',
    }),
    reservation: Nullable(Type.String({ description: 'what it was kept for before' })),
    ticket: Text,
    ...Amount,
    ...Tokens,
    note: Text,
    recorded_by: Type.String(),
    correlation_id: Type.String(),
  },
  { title: 'Cost' },
)

export function costDto({ cost_id, amount, ...row }: CostRow): Static<typeof Cost> {
  return {
    ...row,
    id: cost_id,
    occurred_at: row.occurred_at.toISOString(),
    recorded_at: row.recorded_at.toISOString(),
    ...amounts(amount),
  }
}

export const amounts = (nano: bigint) => ({ amount_usd: formatUsd(nano), amount_cents: centsOf(nano) })

export const CostSummary = Type.Object(
  {
    group_by: Type.Array(Type.Enum([...COST_GROUPS])),
    items: Type.Array(
      Type.Object({
        group: Type.Record(Type.String(), Text, {
          description: 'what the sum is over, by the words of group_by; null where nothing was said',
        }),
        ...Amount,
        ...Tokens,
        count: Type.Integer({ description: 'rows of the ledger' }),
      }),
    ),
    total: Type.Object({ ...Amount, ...Tokens, count: Type.Integer() }),
    correlation_id: Type.String(),
  },
  { title: 'CostSummary' },
)

export const sampleCost: Static<typeof Cost> = {
  id: SAMPLE.cost,
  occurred_at: SAMPLE.time,
  recorded_at: SAMPLE.later,
  namespace: 'default',
  project: 'web',
  agent: 'sre',
  provider: 'anthropic',
  model: 'claude-sonnet',
  task_id: SAMPLE.task,
  run_id: SAMPLE.run,
  step: 'analyze',
  blueprint: 'auto-remediate',
  tool: null,
  revision: SAMPLE.revision,
  usage: 'reported',
  reservation: null,
  ticket: null,
  amount_usd: '0.0135',
  amount_cents: 1.35,
  tokens: 2500,
  input_tokens: 2000,
  output_tokens: 500,
  note: null,
  recorded_by: 'agent:default/sre',
  correlation_id: SAMPLE.correlation,
}
