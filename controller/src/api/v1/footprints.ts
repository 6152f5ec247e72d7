import Type from 'typebox'
import { footprintsOfRun } from '../../store/queries/footprints.ts'
import type { ApiContext } from '../context.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import type { Api } from '../http/typed.ts'
import { findRun } from './find-run.ts'
import {
  errorResponses,
  JsonMap,
  NamespaceQuery,
  Nullable,
  PageQuery,
  pageOf,
  Reference,
  Time,
  Uuid,
} from './schemas.ts'

const Footprint = Type.Object({
  occurred_at: Time,
  env_id: Type.String(),
  run_id: Nullable(Uuid),
  step_id: Nullable(Uuid),
  source_kind: Type.String(),
  source_ref: Type.String(),
  metric: Type.String({ description: 'run.count, step.count, wall_ms, artifact_bytes_written' }),
  quantity: Type.Number(),
  unit: Type.String(),
  class: Type.String({ description: 'for policies: informational, internal, billable …' }),
  dims_json: JsonMap,
})

const Query = Type.Object(
  { ...PageQuery, ...NamespaceQuery, run_id: Reference, metric: Type.Optional(Type.String({ maxLength: 63 })) },
  { additionalProperties: false },
)

/** What a run consumed: its count, the count and time of each of its steps, bytes it stored. */
export function addFootprintRoutes(app: Api, context: ApiContext): void {
  const { reader } = context.store
  app.get(
    '/api/v1/footprints',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the footprints of a run',
        querystring: Query,
        response: { 200: pageOf(Footprint), ...errorResponses },
      },
    },
    async (request) => {
      const { query } = request
      const [offset] = query.cursor === undefined ? [0] : decodeCursor(query.cursor, ['number'])
      const run = await findRun(reader, query.run_id, query.namespace ?? null)
      const page = { runId: run.run_id, metric: query.metric ?? null, offset, limit: query.limit + 1 }
      const rows = await footprintsOfRun(reader, page)
      const items = rows.slice(0, query.limit)
      const next = rows.length > query.limit ? encodeCursor([offset + query.limit]) : null
      return {
        items: items.map((row) => ({ ...row, occurred_at: row.occurred_at.toISOString() })),
        next_cursor: next,
        correlation_id: request.id,
      }
    },
  )
}
