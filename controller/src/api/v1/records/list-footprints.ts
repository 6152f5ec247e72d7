import Type from 'typebox'
import { footprintsOfRun } from '../../../store/queries/footprints.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { JsonMap, NamespaceQuery, Nullable, only, PageQuery, pageOf, Reference, Time, Uuid } from '../schemas.ts'

const Footprint = Type.Object(
  {
    occurred_at: Time,
    env_id: Type.String(),
    run_id: Nullable(Uuid),
    step_id: Nullable(Uuid),
    source_kind: Type.String(),
    source_ref: Type.String(),
    metric: Type.String({
      description:
        'run.count, step.count, wall_ms, artifact_bytes_written; of models tokens_in, tokens_out, request_count',
    }),
    quantity: Type.Number(),
    unit: Type.String(),
    class: Type.String({ description: 'for policies: informational, internal, billable, free_tier …' }),
    dims_json: JsonMap,
  },
  { title: 'Footprint' },
)

export const listFootprints = route({
  operation: 'listFootprints',
  method: 'GET',
  path: '/api/v1/footprints',
  tag: 'records',
  access: 'read',
  summary: 'List the footprints of a run',
  description:
    'What a run consumed: its count, the count and time of each of its steps, bytes it stored, requests and tokens of models.',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    run_id: Reference,
    metric: Type.Optional(Type.String({ maxLength: 63 })),
  }),
  answers: { 200: pageOf(Footprint) },
  example: {
    query: { run_id: 'checkmk-auto-remediate-k3q9zt', metric: 'wall_ms' },
    answer: samplePage({
      occurred_at: SAMPLE.later,
      env_id: 'default',
      run_id: SAMPLE.run,
      step_id: SAMPLE.step,
      source_kind: 'step',
      source_ref: 'analyze',
      metric: 'wall_ms',
      quantity: 4250,
      unit: 'ms',
      class: 'informational',
      dims_json: {},
    }),
  },
  async answer({ query, correlationId }, { store: { reader } }) {
    const [offset] = query.cursor === undefined ? [0] : decodeCursor(query.cursor, ['number'])
    const run = await findRun(reader, query.run_id, query.namespace ?? null)
    const page = {
      runId: run.run_id,
      metric: query.metric ?? null,
      offset: Math.max(0, offset),
      limit: query.limit + 1,
    }
    const rows = await footprintsOfRun(reader, page)
    return {
      items: rows.slice(0, query.limit).map((row) => ({ ...row, occurred_at: row.occurred_at.toISOString() })),
      next_cursor: rows.length > query.limit ? encodeCursor([page.offset + query.limit]) : null,
      correlation_id: correlationId,
    }
  },
})
