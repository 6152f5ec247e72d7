import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { pageImpressions, type Impression as Row } from '../../../store/queries/impressions.ts'
import { stepsOfRun } from '../../../store/queries/runs-read.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { JsonMap, NamespaceQuery, Nullable, only, PageQuery, pageOf, Reference, Time, Uuid } from '../schemas.ts'

const Label = Type.String({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z][a-z0-9_.-]*$',
  description: 'severity, customer_visible, billable, billing_tier, anomaly … or a word of your own',
})

const Impression = Type.Object(
  {
    impression_id: Uuid,
    recorded_at: Time,
    env_id: Type.String(),
    run_id: Nullable(Uuid),
    step_id: Nullable(Uuid),
    label: Type.String(),
    value: Type.Unknown(),
    basis_json: JsonMap,
    recorded_by: Type.String(),
    correlation_id: Type.String(),
  },
  { title: 'Impression' },
)

const sample: Static<typeof Impression> = {
  impression_id: SAMPLE.event,
  recorded_at: SAMPLE.later,
  env_id: 'default',
  run_id: SAMPLE.run,
  step_id: null,
  label: 'severity',
  value: 'high',
  basis_json: { metric: 'wall_ms', quantity: 4250 },
  recorded_by: 'user:ada',
  correlation_id: SAMPLE.correlation,
}

function dto(row: Row): Static<typeof Impression> {
  return { ...row, recorded_at: row.recorded_at.toISOString() }
}

export const recordImpression = route({
  operation: 'recordImpression',
  method: 'POST',
  path: '/api/v1/impressions',
  tag: 'records',
  access: 'events.emit',
  summary: 'Record an impression',
  description:
    'What somebody, or a classifier, says of a run or a step: a label, its value, and what it was derived from.',
  body: only(
    {
      run_id: Type.Optional(Nullable(Reference)),
      step: Type.Optional(
        Nullable(Type.String({ minLength: 1, maxLength: 253, description: 'path or id of the step' })),
      ),
      namespace: Type.Optional(NamespaceQuery.namespace),
      label: Label,
      value: Type.Unknown(),
      basis_json: Type.Optional(JsonMap),
    },
    { title: 'ImpressionCreateRequest' },
  ),
  answers: { 201: Impression },
  example: {
    body: { run_id: 'checkmk-auto-remediate-k3q9zt', label: 'severity', value: 'high', basis_json: sample.basis_json },
    answer: sample,
  },
  async answer({ body, caller }, { store, services }) {
    const reference = body.run_id ?? null
    const run = reference === null ? null : await findRun(store.engine, reference, body.namespace ?? null)
    const step = body.step ?? null
    const stepId = step === null ? null : await stepOf(store.engine, run?.run_id ?? null, step)
    const said = {
      envId: run?.namespace ?? body.namespace ?? 'default',
      runId: run?.run_id ?? null,
      stepId,
      label: body.label,
      // The body came as JSON.
      value: body.value as Json,
      basis: (body.basis_json ?? {}) as JsonObject,
    }
    return dto(await services.impressions.record(said, caller))
  },
})

async function stepOf(sql: Parameters<typeof stepsOfRun>[0], runId: string | null, wanted: string): Promise<string> {
  const steps = runId === null ? [] : await stepsOfRun(sql, runId, { values: false, allAttempts: false })
  const step = steps.findLast(({ path, step_id }) => path === wanted || step_id === wanted)
  if (step === undefined) throw fail('SW_NOT_FOUND', `the run has no step "${wanted}" that has begun`)
  return step.step_id
}

export const listImpressions = route({
  operation: 'listImpressions',
  method: 'GET',
  path: '/api/v1/impressions',
  tag: 'records',
  access: 'read',
  summary: 'List impressions',
  description: 'The newest first.',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    run_id: Type.Optional(Reference),
    label: Type.Optional(Label),
  }),
  answers: { 200: pageOf(Impression) },
  example: { query: { run_id: 'checkmk-auto-remediate-k3q9zt' }, answer: samplePage(sample) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const run = query.run_id === undefined ? null : await findRun(reader, query.run_id, query.namespace ?? null)
    const rows = await pageImpressions(reader, {
      runId: run?.run_id ?? null,
      label: query.label ?? null,
      after: position === null ? null : { recordedAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(
      rows,
      { limit: query.limit, correlationId },
      ({ recorded_at, impression_id }) => [recorded_at, impression_id],
      dto,
    )
  },
})
