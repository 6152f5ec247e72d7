import Type from 'typebox'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { SAMPLE } from '../samples.ts'
import { optionalBody } from '../schemas.ts'
import { RUN_REFERENCE, RunParams, runOf, Scope } from './run-params.ts'

export const retryRun = route({
  operation: 'retryRun',
  method: 'POST',
  path: '/api/v1/runs/{run}/retry',
  tag: 'runs',
  access: 'runs.retry',
  summary: 'Have a run that ended go on',
  description: `It goes on as a new run, which is the answer: with the same plan, inputs and event, and the recorded output of every step that completed, but for \`from\` and what waits for it. ${RUN_REFERENCE}`,
  params: RunParams,
  query: Scope,
  body: optionalBody({
    from: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1000,
        description: 'path of the step to go on from: fix, each[3].fix, call.fix; left out: what did not complete',
      }),
    ),
  }),
  answers: { 201: Run },
  example: {
    params: { run: 'checkmk-auto-remediate-k3q9zt' },
    body: { from: 'fix' },
    answer: {
      ...sampleRun,
      name: 'checkmk-auto-remediate-m7w2pe',
      trigger: 'retry',
      parent: { run_id: SAMPLE.run, kind: 'retry' },
    },
  },
  async answer({ params, query, body, caller }, context) {
    const run = await findRun(context.store.reader, params.run, query.namespace ?? null)
    const { runId } = await context.services.runs.retry({ runId: run.run_id, from: body?.from ?? null }, caller)
    return runDto(await runOf(context, runId))
  },
})
