import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { runLogArtifact } from '../../../store/queries/artifacts.ts'
import { planOfRun, stepsOfRun } from '../../../store/queries/runs-read.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { Step, sampleStep, stepDtos } from '../run-dto.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, pageOf, Reference } from '../schemas.ts'
import { RUN_REFERENCE, RunParams } from './run-params.ts'

const StepsQuery = only({
  ...NamespaceQuery,
  values: Type.Boolean({
    default: true,
    description: 'false = without inputs and outputs, which may be large: where the steps are is all that is asked',
  }),
  attempts: Type.Enum(['last', 'all'], {
    default: 'last',
    description: 'all = also the attempts that failed and were followed by another one, each before the next',
  }),
})

export const listSteps = route({
  operation: 'listSteps',
  method: 'GET',
  path: '/api/v1/runs/{run}/steps',
  tag: 'runs',
  access: 'read',
  summary: 'List the steps of a run',
  description: `In the order of its plan, also those that have not started. ${RUN_REFERENCE}`,
  params: RunParams,
  query: StepsQuery,
  answers: { 200: pageOf(Step) },
  example: { params: { run: 'checkmk-auto-remediate-k3q9zt' }, answer: samplePage(sampleStep) },
  answer: async ({ params, query, correlationId }, context) => ({
    items: await stepsOf(context, params.run, query),
    next_cursor: null,
    correlation_id: correlationId,
  }),
})

export const readStep = route({
  operation: 'readStep',
  method: 'GET',
  path: '/api/v1/runs/{run}/steps/{step}',
  tag: 'runs',
  access: 'read',
  summary: 'Read a step of a run',
  description: `\`{step}\` is its id or its path. ${RUN_REFERENCE}`,
  params: Type.Object({ run: Reference, step: Reference }),
  query: StepsQuery,
  answers: { 200: Step },
  example: { params: { run: 'checkmk-auto-remediate-k3q9zt', step: 'analyze' }, answer: sampleStep },
  async answer({ params, query }, context) {
    const steps = await stepsOf(context, params.run, query)
    const found = steps.find((step) => step.step_id === params.step || step.path === params.step)
    if (found === undefined)
      throw fail('SW_NOT_FOUND', `run "${params.run}" has no step "${params.step}"`, {
        remedy: 'list them: GET /api/v1/runs/{run}/steps',
      })
    return found
  },
})

async function stepsOf({ store: { reader } }: ApiContext, reference: string, query: Static<typeof StepsQuery>) {
  const run = await findRun(reader, reference, query.namespace ?? null)
  const [plan, rows, log] = await Promise.all([
    planOfRun(reader, run.plan_digest),
    stepsOfRun(reader, run.run_id, { values: query.values, allAttempts: query.attempts === 'all' }),
    runLogArtifact(reader, run.run_id),
  ])
  return stepDtos(run, plan, rows).map((step) => ({
    ...step,
    logs_artifact_id: log?.steps.includes(step.path) === true ? log.artifact_id : null,
  }))
}
