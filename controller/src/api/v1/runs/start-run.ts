import Type from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { JsonMap, Name, only } from '../schemas.ts'
import { runOf } from './run-params.ts'

export const startRun = route({
  operation: 'startRun',
  method: 'POST',
  path: '/api/v1/runs',
  tag: 'runs',
  access: 'runs.start',
  summary: 'Start a run',
  description:
    'The run is pinned to the revision of its blueprint that is applied now. It is durable when this answers.',
  body: only(
    {
      blueprint_ref: Type.String({
        minLength: 1,
        maxLength: 253,
        description: 'name of the blueprint, or the id its older format had',
      }),
      namespace: Type.Optional(Name),
      name: Type.Optional(Name),
      inputs: Type.Optional(JsonMap),
      priority: Type.Integer({ minimum: -1000, maximum: 1000, default: 0 }),
    },
    { title: 'RunCreateRequest' },
  ),
  answers: { 201: Run },
  example: {
    body: { blueprint_ref: 'checkmk-auto-remediate', inputs: { host: 'web-1', service: 'nginx', state: 'CRIT' } },
    answer: sampleRun,
  },
  async answer({ body, caller }, context) {
    const { runId } = await context.services.runs.create(
      {
        namespace: body.namespace ?? 'default',
        blueprint: body.blueprint_ref,
        name: body.name ?? null,
        // The body came as JSON, so its members are JSON.
        inputs: (body.inputs ?? {}) as JsonObject,
        priority: body.priority,
      },
      caller,
    )
    return runDto(await runOf(context, runId))
  },
})
