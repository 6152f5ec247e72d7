import Type, { type Static } from 'typebox'
import { formatUsd } from '../../../lib/usd.ts'
import { MODEL_CALL_STATES, type ModelCallRow } from '../../../store/queries/model-calls.ts'
import type { ProviderSummary, RouteExplanation } from '../../ports/models.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time, Uuid } from '../schemas.ts'

const Usd = Type.String({ description: 'US dollars, decimal' })
const Class = Type.Enum(['local', 'cloud'])
const ProviderType = Type.String({ description: '`scripted` = rules of its document answer, no model' })

export const ModelProviderItem = Type.Object(
  {
    name: Type.String(),
    type: ProviderType,
    class: Class,
    priority: Type.Integer({ description: 'the lowest is asked first, local ones before those in the cloud' }),
    fallback_only: Type.Boolean(),
    suspended: Type.Boolean(),
    ready: Type.Boolean({ description: 'it can be asked' }),
    message: Type.String({ description: 'how it stands' }),
    breaker: Type.String({ description: '`closed`, `open` or `half_open`' }),
    calls: Type.Integer({ description: 'of the last 24 hours' }),
    failures: Type.Integer({ description: 'of these, those that failed' }),
    loaded: Type.Array(Type.String(), { description: 'models that a server of this machine has loaded' }),
    models: Type.Array(
      Type.Object({
        name: Type.String(),
        layer: Nullable(Type.String()),
        max_tokens: Nullable(Type.Integer()),
        temperature: Nullable(Type.Number()),
        context_length: Nullable(Type.Integer()),
        input_usd_per_mtok: Nullable(Usd),
        output_usd_per_mtok: Nullable(Usd),
      }),
    ),
  },
  { title: 'ModelProvider' },
)

export function providerDto(one: ProviderSummary): Static<typeof ModelProviderItem> {
  const { name, type, priority, suspended, ready, message, breaker, calls, failures, loaded, models } = one
  return {
    ...{ name, type, priority, suspended, ready, message, breaker, calls, failures },
    class: one.class,
    fallback_only: one.fallbackOnly,
    loaded: [...loaded],
    models: models.map((model) => ({
      name: model.name,
      layer: model.layer,
      max_tokens: model.maxTokens,
      temperature: model.temperature,
      context_length: model.contextLength,
      input_usd_per_mtok: model.prices === null ? null : formatUsd(model.prices.input),
      output_usd_per_mtok: model.prices === null ? null : formatUsd(model.prices.output),
    })),
  }
}

export const sampleProvider: Static<typeof ModelProviderItem> = {
  name: 'claude',
  type: 'anthropic',
  class: 'cloud',
  priority: 20,
  fallback_only: false,
  suspended: false,
  ready: true,
  message: 'its last call was answered',
  breaker: 'closed',
  calls: 41,
  failures: 1,
  loaded: [],
  models: [
    {
      name: 'claude-sonnet-4-5-20250929',
      layer: 'strategic',
      max_tokens: 4096,
      temperature: null,
      context_length: 200_000,
      input_usd_per_mtok: '3.00',
      output_usd_per_mtok: '15.00',
    },
  ],
}

export const ModelCall = Type.Object(
  {
    call_id: Uuid,
    namespace: Type.String(),
    actor: Type.String(),
    agent: Nullable(Type.String()),
    run_id: Nullable(Uuid),
    step: Nullable(Type.String()),
    task_id: Nullable(Uuid),
    turn: Nullable(Type.Integer({ description: 'of the loop of an agent, from 1' })),
    route: Nullable(Type.String()),
    rule: Nullable(Type.String()),
    complexity: Type.String(),
    task_class: Nullable(Type.String()),
    place: Type.Integer({ description: 'which of the backends of its request it was, from 1' }),
    provider: Type.String(),
    provider_type: ProviderType,
    class: Class,
    model_asked: Type.String(),
    model_answered: Nullable(Type.String({ description: 'null = it did not say' })),
    state: Type.Enum([...MODEL_CALL_STATES]),
    cause: Nullable(Type.String({ description: 'why it failed: error, rateLimit, timeout, budget, cancelled, lost' })),
    problem: Nullable(Type.String()),
    input_tokens: Nullable(Type.Integer()),
    output_tokens: Nullable(Type.Integer()),
    usage: Nullable(Type.Enum(['reported', 'unknown'])),
    cost_usd: Usd,
    finish_reason: Nullable(Type.String()),
    started_at: Time,
    ended_at: Nullable(Time),
    first_token_ms: Nullable(Type.Integer()),
    latency_ms: Nullable(Type.Integer()),
    prompt_artifact: Nullable(Uuid),
    answer_artifact: Nullable(Uuid),
    correlation_id: Type.String(),
  },
  { title: 'ModelCall' },
)

export function callDto(row: ModelCallRow): Static<typeof ModelCall> {
  const { cost, is_reserved: _, writer: __, tokens_expected: ___, started_at, ended_at, ...rest } = row
  return {
    ...rest,
    answer_artifact: row.state === 'completed' ? row.answer_artifact : null,
    cost_usd: formatUsd(cost),
    started_at: started_at.toISOString(),
    ended_at: ended_at?.toISOString() ?? null,
  }
}

export const sampleCall: Static<typeof ModelCall> = {
  call_id: SAMPLE.cost,
  namespace: 'default',
  actor: 'agent:default/sre',
  agent: 'sre',
  run_id: SAMPLE.run,
  step: 'analyze',
  task_id: SAMPLE.task,
  turn: 1,
  route: 'default',
  rule: 'complex',
  complexity: 'high',
  task_class: null,
  place: 1,
  provider: 'claude',
  provider_type: 'anthropic',
  class: 'cloud',
  model_asked: 'claude-sonnet-4-5-20250929',
  model_answered: 'claude-sonnet-4-5-20250929',
  state: 'completed',
  cause: null,
  problem: null,
  input_tokens: 812,
  output_tokens: 96,
  usage: 'reported',
  cost_usd: '0.003876',
  finish_reason: 'stop',
  started_at: SAMPLE.time,
  ended_at: SAMPLE.later,
  first_token_ms: 640,
  latency_ms: 4250,
  prompt_artifact: SAMPLE.artifact,
  answer_artifact: SAMPLE.item,
  correlation_id: SAMPLE.correlation,
}

export const ModelRouting = Type.Object(
  {
    complexity: Type.Enum(['low', 'medium', 'high']),
    route: Nullable(Type.String()),
    rule: Nullable(Type.String({ description: 'its name, or its number from 1' })),
    candidates: Type.Array(
      Type.Object({
        provider: Type.String(),
        provider_type: ProviderType,
        class: Class,
        model: Type.String(),
        by: Type.String({ description: 'what decided' }),
        on: Nullable(
          Type.Array(Type.String(), { description: 'asked only when those before it failed by one of these' }),
        ),
        at_most_usd: Usd,
      }),
      { description: 'who is asked, the first first' },
    ),
    skipped: Type.Array(Type.Object({ provider: Type.String(), model: Nullable(Type.String()), why: Type.String() }), {
      description: 'who is not asked, and why',
    }),
    correlation_id: Type.String(),
  },
  { title: 'ModelRouting' },
)

export function routingDto(made: RouteExplanation, correlationId: string): Static<typeof ModelRouting> {
  return {
    complexity: made.complexity,
    route: made.route,
    rule: made.rule,
    candidates: made.candidates.map(({ provider, providerType, class: of, model, by, on, atMost }) => ({
      ...{ provider, model, by },
      provider_type: providerType,
      class: of,
      on: on === null ? null : [...on],
      at_most_usd: formatUsd(atMost),
    })),
    skipped: made.skipped.map((one) => ({ ...one })),
    correlation_id: correlationId,
  }
}
