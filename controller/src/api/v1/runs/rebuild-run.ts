import Type from 'typebox'
import { route } from '../../http/route.ts'
import { loggedRunId } from '../find-run.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, optionalBody, Uuid } from '../schemas.ts'
import { RUN_REFERENCE, RunParams, Scope } from './run-params.ts'

const Replay = Type.Object(
  {
    run_id: Uuid,
    name: Type.String(),
    events: Type.Integer({ description: 'events the rows were built from' }),
    steps: Type.Integer(),
    differences: Type.Array(
      Type.Object({
        row: Type.String({ description: 'run, or step <path>#<attempt>' }),
        column: Nullable(Type.String({ description: 'null = the whole row is missing, or no event tells of it' })),
        stored: Type.Unknown(),
        rebuilt: Type.Unknown(),
      }),
    ),
    written: Type.Boolean(),
    correlation_id: Type.String(),
  },
  { title: 'Replay' },
)

export const rebuildRun = route({
  operation: 'rebuildRun',
  method: 'POST',
  path: '/api/v1/runs/{run}/replay',
  tag: 'runs',
  access: 'runs.rebuild',
  summary: 'Rebuild a run from its events',
  description: `Builds the rows of a run from its events, compares them with what is stored, and writes them when \`write\` is true. ${RUN_REFERENCE}`,
  params: RunParams,
  query: Scope,
  body: optionalBody({ write: Type.Boolean({ default: false }) }),
  answers: { 200: Replay },
  idempotency: false,
  example: {
    params: { run: 'checkmk-auto-remediate-k3q9zt' },
    body: { write: false },
    answer: {
      run_id: SAMPLE.run,
      name: 'checkmk-auto-remediate-k3q9zt',
      events: 9,
      steps: 4,
      differences: [],
      written: false,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, query, body, caller, correlationId }, context) {
    const runId = await loggedRunId(context.store.engine, params.run, query.namespace ?? null)
    const replay = await context.services.runs.replay({ runId, write: body?.write ?? false }, caller)
    return {
      run_id: replay.runId,
      name: replay.name,
      events: replay.events,
      steps: replay.steps,
      differences: replay.differences,
      written: replay.written,
      correlation_id: correlationId,
    }
  },
})
