import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, Nullable, only } from '../schemas.ts'

const Cents = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })

const Simulation = Type.Object(
  {
    feasible: Type.Boolean({ description: 'nothing keeps it from being run, and the budget is enough' }),
    estimated_cost_cents: Type.Integer(),
    estimated_duration_ms: Type.Integer({ description: 'one call after the other' }),
    step_estimates: Type.Array(
      Type.Object({
        skill_id: Type.String(),
        estimated_cost_cents: Type.Integer(),
        estimated_latency_ms: Type.Integer(),
      }),
    ),
    budget_remaining_cents: Nullable(Type.Integer({ description: 'negative when it is not enough' })),
    budget_sufficient: Type.Boolean(),
    risks: Type.Array(
      Type.Object({
        code: Type.Enum(['high_risk', 'irreversible', 'over_budget', 'unpriced']),
        severity: Type.Enum(['medium', 'high']),
        step: Nullable(Type.String({ description: 'null: of the whole plan' })),
        message: Type.String(),
      }),
    ),
    issues: Type.Array(
      Type.Object({
        code: Type.String(),
        severity: Type.Enum(['error', 'warning']),
        path: Type.String(),
        message: Type.String(),
        hint: Type.String(),
      }),
      { description: 'what is wrong with the plan; only an error makes it not feasible' },
    ),
    correlation_id: Type.String(),
  },
  { title: 'Simulation' },
)

export const simulateRuntime = route({
  operation: 'simulatePlan',
  method: 'POST',
  path: '/api/v1/runtime/simulate',
  tag: 'runtime',
  access: 'runs.simulate',
  summary: 'Say what a plan would cost, without running any of it',
  description:
    'Costs and times are those that the tools declare. A tool that is not there is an issue, never a price of 0. A step of a loop counts once.',
  idempotency: false,
  body: only(
    {
      plan: Type.Optional(
        Type.Array(Type.Unknown(), {
          minItems: 1,
          maxItems: 200,
          description: '{skill, params} for the call of a tool, or steps as a blueprint has them',
        }),
      ),
      blueprint_ref: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'instead of a plan' })),
      budget_cents: Type.Optional(Nullable(Cents)),
      namespace: Type.Optional(Name),
      inputs: Type.Optional(JsonMap),
    },
    { title: 'SimulateRequest' },
  ),
  answers: { 200: Simulation },
  example: {
    body: {
      plan: [
        { skill: 'http_call', params: { url: 'https://example.com' } },
        { skill: 'llm_invoke', params: { prompt: 'What does it say?' } },
      ],
      budget_cents: 100,
    },
    answer: {
      feasible: true,
      estimated_cost_cents: 5,
      estimated_duration_ms: 2500,
      step_estimates: [
        { skill_id: 'http_call', estimated_cost_cents: 0, estimated_latency_ms: 500 },
        { skill_id: 'llm_invoke', estimated_cost_cents: 5, estimated_latency_ms: 2000 },
      ],
      budget_remaining_cents: 95,
      budget_sufficient: true,
      risks: [],
      issues: [],
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ body, correlationId }, { services }) {
    const { plan, blueprint_ref: blueprint, budget_cents: budget = null } = body
    if ((plan === undefined) === (blueprint === undefined)) throw eitherOr()
    const simulated = await services.runs.simulate({
      namespace: body.namespace ?? 'default',
      plan: plan ?? { blueprint: blueprint! },
      inputs: Object.keys(body.inputs ?? {}),
      budgetCents: budget,
    })
    return { ...simulated, correlation_id: correlationId }
  },
})

function eitherOr(): Error {
  const message = 'is required, unless there is a blueprint_ref, and cannot be given beside it'
  return fail('SW_VALIDATION_FAILED', `body/plan ${message}`, {
    details: { violations: [{ path: 'body/plan', message }] },
  })
}
