import Type from 'typebox'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { optionalBody } from '../schemas.ts'
import { RUN_REFERENCE, RunParams, runOf, Scope } from './run-params.ts'

export const cancelRun = route({
  operation: 'cancelRun',
  method: 'POST',
  path: '/api/v1/runs/{run}/cancel',
  tag: 'runs',
  access: 'runs.cancel',
  summary: 'Cancel a run',
  description: `What runs is stopped, what has not started is skipped. ${RUN_REFERENCE}`,
  params: RunParams,
  query: Scope,
  body: optionalBody({ reason: Type.Optional(Type.String({ maxLength: 1000 })) }),
  answers: { 200: Run },
  example: {
    params: { run: 'checkmk-auto-remediate-k3q9zt' },
    body: { reason: 'the host is gone' },
    answer: { ...sampleRun, status: 'cancelled', completed_at: sampleRun.started_at, condition: null },
  },
  async answer({ params, query, body, caller }, context) {
    const run = await findRun(context.store.reader, params.run, query.namespace ?? null)
    await context.services.runs.cancel({ runId: run.run_id, reason: body?.reason ?? null }, caller)
    return runDto(await runOf(context, run.run_id))
  },
})
