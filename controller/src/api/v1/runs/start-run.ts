import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import type { Caller } from '../../caller.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { JsonMap, Name, Nullable, only } from '../schemas.ts'
import { runOf } from './run-params.ts'

const RunCreateRequest = only(
  {
    blueprint_ref: Type.Optional(
      Nullable(
        Type.String({
          minLength: 1,
          maxLength: 253,
          description: 'name of the blueprint, or the id its older format had; left out, there has to be a plan',
        }),
      ),
    ),
    plan: Type.Optional(
      Type.Array(Type.Unknown(), {
        minItems: 1,
        maxItems: 200,
        description: 'instead of a blueprint: steps as a blueprint has them, or {skill, params} for the call of a tool',
      }),
    ),
    budget_cents: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000_000,
        description: 'of a plan: refused when it costs more by what its tools declare',
      }),
    ),
    namespace: Type.Optional(Name),
    name: Type.Optional(Name),
    inputs: Type.Optional(JsonMap),
    priority: Type.Integer({ minimum: -1000, maximum: 1000, default: 0 }),
  },
  { title: 'RunCreateRequest' },
)

export const startRun = route({
  operation: 'startRun',
  method: 'POST',
  path: '/api/v1/runs',
  tag: 'runs',
  access: 'runs.start',
  summary: 'Start a run',
  description:
    'The run is pinned to the revision of its blueprint that is applied now, or to the plan it brings along. It is durable when this answers.',
  body: RunCreateRequest,
  answers: { 201: Run },
  example: {
    body: { blueprint_ref: 'checkmk-auto-remediate', inputs: { host: 'web-1', service: 'nginx', state: 'CRIT' } },
    answer: sampleRun,
  },
  async answer({ body, caller }, context) {
    const { runId } = await start(context, body, caller)
    return runDto(await runOf(context, runId))
  },
})

/** Either a run of a blueprint, or one that brings its plan along. */
function start(context: ApiContext, body: Static<typeof RunCreateRequest>, caller: Caller) {
  const { blueprint_ref: blueprint = null, plan, budget_cents: budgetCents } = body
  const common = {
    namespace: body.namespace ?? 'default',
    name: body.name ?? null,
    // The body came as JSON, so its members are JSON.
    inputs: (body.inputs ?? {}) as JsonObject,
    priority: body.priority,
  }
  if (plan === undefined && blueprint !== null && budgetCents === undefined)
    return context.services.runs.create({ ...common, blueprint }, caller)
  if (plan !== undefined && blueprint === null)
    return context.services.runs.createInline({ ...common, plan, budgetCents: budgetCents ?? null }, caller)
  const [path, message] =
    plan === undefined && blueprint === null
      ? ['body/blueprint_ref', 'is required, unless there is a plan']
      : plan === undefined
        ? ['body/budget_cents', 'belongs to a plan']
        : ['body/plan', 'cannot be given beside blueprint_ref']
  throw fail('SW_VALIDATION_FAILED', `${path} ${message}`, { details: { violations: [{ path, message }] } })
}
