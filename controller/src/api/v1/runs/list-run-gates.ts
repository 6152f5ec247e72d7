import { listGates } from '../../../store/queries/gates.ts'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { Gate, gateDto, sampleGate } from '../gates/gate-dto.ts'
import { samplePage } from '../samples.ts'
import { pageOf } from '../schemas.ts'
import { RUN_REFERENCE, RunParams, Scope } from './run-params.ts'

/** As many as the iterations of the largest loop can have opened. */
const MOST = 10_000

export const listRunGates = route({
  operation: 'listRunGates',
  method: 'GET',
  path: '/api/v1/runs/{run}/gates',
  tag: 'runs',
  access: 'read',
  summary: 'List the gates of a run',
  description: `Every gate the run has reached, with who decided what; the first one opened comes first. ${RUN_REFERENCE}`,
  params: RunParams,
  query: Scope,
  answers: { 200: pageOf(Gate) },
  example: { params: { run: 'checkmk-auto-remediate-k3q9zt' }, answer: samplePage(sampleGate) },
  async answer({ params, query, correlationId }, { store: { reader } }) {
    const run = await findRun(reader, params.run, query.namespace ?? null)
    const gates = await listGates(reader, { runId: run.run_id, limit: MOST })
    return {
      items: gates.map((gate) => gateDto(gate, correlationId)),
      next_cursor: null,
      correlation_id: correlationId,
    }
  },
})
