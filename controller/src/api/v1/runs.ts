import Type from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import { runLogArtifact } from '../../store/queries/artifacts.ts'
import { pageRuns, planOfRun, type RunReadRow, runsById, stepsOfRun } from '../../store/queries/runs-read.ts'
import type { ApiContext } from '../context.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import { idempotent } from '../http/idempotency.ts'
import { callerOf } from '../http/request-context.ts'
import type { Api } from '../http/typed.ts'
import { findRun } from './find-run.ts'
import { Run, RunStatusWord, runDto, Step, stepDtos } from './run-dto.ts'
import { errorResponses, JsonMap, Name, NamespaceQuery, optionalBody, PageQuery, pageOf, Reference } from './schemas.ts'

const RunParams = Type.Object({ run: Reference })
const StepParams = Type.Object({ run: Reference, step: Reference })
const Scope = Type.Object(NamespaceQuery, { additionalProperties: false })

const RunCreateRequest = Type.Object(
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
  { additionalProperties: false },
)

const RunQuery = Type.Object(
  {
    ...PageQuery,
    ...NamespaceQuery,
    status: Type.Optional(RunStatusWord),
    blueprint_ref: Type.Optional(Type.String({ maxLength: 253 })),
  },
  { additionalProperties: false },
)

/** Runs: start, list, read, their steps, cancel. `{run}` is a name, an id, or a unique beginning of one. */
export function addRunRoutes(app: Api, context: ApiContext): void {
  const { reader } = context.store
  addRunReads(app, context)
  app.post(
    '/api/v1/runs',
    {
      config: { access: 'write' },
      schema: { summary: 'Start a run', body: RunCreateRequest, response: { 201: Run, ...errorResponses } },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => {
        const { body } = request
        const { runId } = await context.services.runs.create(
          {
            namespace: body.namespace ?? 'default',
            blueprint: body.blueprint_ref,
            name: body.name ?? null,
            // The body came as JSON, so its members are JSON.
            inputs: (body.inputs ?? {}) as JsonObject,
            priority: body.priority,
          },
          callerOf(request),
        )
        return { status: 201, body: runDto(await runOf(context, runId)) }
      }),
  )
  app.post(
    '/api/v1/runs/:run/cancel',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Cancel a run',
        params: RunParams,
        querystring: Scope,
        body: optionalBody({ reason: Type.Optional(Type.String({ maxLength: 1000 })) }),
        response: { 200: Run, ...errorResponses },
      },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => {
        const run = await findRun(reader, request.params.run, request.query.namespace ?? null)
        await context.services.runs.cancel(
          { runId: run.run_id, reason: request.body?.reason ?? null },
          callerOf(request),
        )
        return { status: 200, body: runDto(await runOf(context, run.run_id)) }
      }),
  )
}

function addRunReads(app: Api, context: ApiContext): void {
  const { reader } = context.store
  app.get(
    '/api/v1/runs',
    {
      config: { access: 'read' },
      schema: { summary: 'List runs', querystring: RunQuery, response: { 200: pageOf(Run), ...errorResponses } },
    },
    async (request) => {
      const { query } = request
      const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string'])
      const rows = await pageRuns(reader, {
        namespace: query.namespace ?? null,
        blueprint: query.blueprint_ref ?? null,
        status: query.status ?? null,
        after: position === null ? null : { createdAt: dateOf(position[0]), runId: position[1] },
        limit: query.limit + 1,
      })
      const items = rows.slice(0, query.limit)
      const last = items.at(-1)
      const next =
        rows.length > query.limit && last !== undefined
          ? encodeCursor([last.created_at.toISOString(), last.run_id])
          : null
      return { items: items.map(runDto), next_cursor: next, correlation_id: request.id }
    },
  )
  app.get(
    '/api/v1/runs/:run',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read a run',
        params: RunParams,
        querystring: Scope,
        response: { 200: Run, ...errorResponses },
      },
    },
    async (request) => runDto(await findRun(reader, request.params.run, request.query.namespace ?? null)),
  )
  const steps = async (reference: string, namespace: string | null) => {
    const run = await findRun(reader, reference, namespace)
    const [plan, rows, log] = await Promise.all([
      planOfRun(reader, run.plan_digest),
      stepsOfRun(reader, run.run_id),
      runLogArtifact(reader, run.run_id),
    ])
    return stepDtos(run, plan, rows).map((step) => ({
      ...step,
      logs_artifact_id: log?.steps.includes(step.path) === true ? log.artifact_id : null,
    }))
  }
  app.get(
    '/api/v1/runs/:run/steps',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the steps of a run',
        params: RunParams,
        querystring: Scope,
        response: { 200: pageOf(Step), ...errorResponses },
      },
    },
    async (request) => ({
      items: await steps(request.params.run, request.query.namespace ?? null),
      next_cursor: null,
      correlation_id: request.id,
    }),
  )
  app.get(
    '/api/v1/runs/:run/steps/:step',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read a step, by its id or path',
        params: StepParams,
        querystring: Scope,
        response: { 200: Step, ...errorResponses },
      },
    },
    async (request) => {
      const { run, step: wanted } = request.params
      const found = (await steps(run, request.query.namespace ?? null)).find(
        (step) => step.step_id === wanted || step.path === wanted,
      )
      if (found === undefined)
        throw fail('SW_NOT_FOUND', `run "${run}" has no step "${wanted}"`, {
          remedy: 'list them: GET /api/v1/runs/{run}/steps',
        })
      return found
    },
  )
}

function dateOf(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw fail('SW_BAD_REQUEST', 'the cursor is not one of ours')
  return date
}

async function runOf(context: ApiContext, runId: string): Promise<RunReadRow> {
  // The direct connections: a reader may go to a replica that does not have the row yet.
  const [run] = await runsById(context.store.engine, [runId])
  if (run === undefined) throw fail('SW_NOT_FOUND', `run ${runId} is gone`)
  return run
}
