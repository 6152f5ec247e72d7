import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { SAMPLE } from '../samples.ts'
import { optionalBody } from '../schemas.ts'
import { RUN_REFERENCE, RunParams, runOf, Scope } from './run-params.ts'

export const rollbackRun = route({
  operation: 'rollbackRun',
  method: 'POST',
  path: '/api/v1/runs/{run}/rollback',
  tag: 'runs',
  access: 'runs.rollback',
  summary: 'Undo what a run did',
  description: `A new run, which is the answer, calls the \`undo\` of every action that succeeded, the last to end first. Its inputs name what is undone and what cannot be. ${RUN_REFERENCE}`,
  params: RunParams,
  query: Scope,
  body: optionalBody({}),
  answers: { 201: Run },
  example: {
    params: { run: 'checkmk-auto-remediate-k3q9zt' },
    body: {},
    answer: {
      ...sampleRun,
      name: 'checkmk-auto-remediate-p4x8sd',
      trigger: 'rollback',
      inputs: {
        run: 'checkmk-auto-remediate-k3q9zt',
        undo: ['fix'],
        not_undone: [{ step: 'analyze', action: 'sre', reason: 'the work of an agent has no undo' }],
        requests: { undo_1: { host: 'web-1' } },
      },
      parent: { run_id: SAMPLE.run, kind: 'rollback' },
    },
  },
  async answer({ params, query, caller }, context) {
    const run = await findRun(context.store.reader, params.run, query.namespace ?? null)
    const { runId } = await context.services.runs.rollback({ runId: run.run_id }, caller)
    return runDto(await runOf(context, runId))
  },
})
