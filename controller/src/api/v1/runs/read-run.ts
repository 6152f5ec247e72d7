import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { RUN_REFERENCE, RunParams, Scope } from './run-params.ts'

export const readRun = route({
  operation: 'readRun',
  method: 'GET',
  path: '/api/v1/runs/{run}',
  tag: 'runs',
  access: 'read',
  summary: 'Read a run',
  description: RUN_REFERENCE,
  params: RunParams,
  query: Scope,
  answers: { 200: Run },
  example: { params: { run: 'checkmk-auto-remediate-k3q9zt' }, answer: sampleRun },
  answer: async ({ params, query }, { store }) =>
    runDto(await findRun(store.reader, params.run, query.namespace ?? null)),
})
