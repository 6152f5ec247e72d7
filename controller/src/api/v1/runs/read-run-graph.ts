import Type from 'typebox'
import { planOfRun, stepsOfRun } from '../../../store/queries/runs-read.ts'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { Run, runDto, sampleRun, sampleStep } from '../run-dto.ts'
import { SAMPLE } from '../samples.ts'
import { NamespaceQuery, only } from '../schemas.ts'
import { GraphNode, runGraph } from './run-graph.ts'
import { RUN_REFERENCE, RunParams } from './run-params.ts'

export const readRunGraph = route({
  operation: 'readRunGraph',
  method: 'GET',
  path: '/api/v1/runs/{run}/graph',
  tag: 'runs',
  access: 'read',
  summary: 'Read the plan of a run as a graph, with where each step stands',
  description: `Also what has not begun: the body of a loop, the steps of a called blueprint. ${RUN_REFERENCE}`,
  params: RunParams,
  query: only({
    ...NamespaceQuery,
    iterations: Type.Integer({
      minimum: 0,
      maximum: 200,
      default: 12,
      description: 'how many iterations of a loop are shown: those that failed or run first',
    }),
  }),
  answers: {
    200: Type.Object(
      {
        run: Run,
        nodes: Type.Array(GraphNode, { description: 'in the order of the plan, containers before what is in them' }),
        correlation_id: Type.String(),
      },
      { title: 'RunGraph' },
    ),
  },
  example: {
    params: { run: 'checkmk-auto-remediate-k3q9zt' },
    answer: {
      run: sampleRun,
      nodes: [
        {
          ...{ path: 'analyze', step_id: sampleStep.step_id, container: null, iteration: null, name: 'analyze' },
          ...{ kind: 'agent_task', does: 'sre', condition_expression: null, place: 'blueprints/checkmk.yaml:12:5' },
          ...{ waits_for: [], undo: null, status: 'completed', attempt: 1, max_attempts: 1, started_at: SAMPLE.time },
          ...{ completed_at: SAMPLE.later, next_attempt_at: null, error: null, condition: null, iterations: null },
        },
      ],
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, query, correlationId }, { store: { reader } }) {
    const run = await findRun(reader, params.run, query.namespace ?? null)
    const [plan, rows] = await Promise.all([
      planOfRun(reader, run.plan_digest),
      stepsOfRun(reader, run.run_id, { values: false, allAttempts: false }),
    ])
    return { run: runDto(run), nodes: runGraph(run, plan, rows, query.iterations), correlation_id: correlationId }
  },
})
