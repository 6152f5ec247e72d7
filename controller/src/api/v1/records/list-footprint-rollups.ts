import Type from 'typebox'
import { footprintRollups } from '../../../store/queries/footprint-rollups.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { Nullable, only, PageQuery, pageOf } from '../schemas.ts'

const Day = Type.String({ format: 'date', description: 'in UTC' })

const FootprintRollup = Type.Object(
  {
    day: Day,
    env_id: Type.String(),
    source_kind: Type.String(),
    metric: Type.String(),
    unit: Type.String(),
    class: Type.String(),
    agent: Nullable(Type.String({ description: 'of calls of models: who asked' })),
    provider: Nullable(Type.String({ description: 'of calls of models' })),
    model: Nullable(Type.String({ description: 'of calls of models: the one that was asked' })),
    quantity: Type.Number(),
    footprints: Type.Integer({ description: 'how many were summed up' }),
  },
  { title: 'FootprintRollup' },
)

export const listFootprintRollups = route({
  operation: 'listFootprintRollups',
  method: 'GET',
  path: '/api/v1/footprints/rollups',
  tag: 'records',
  access: 'read',
  summary: 'List footprints by the day',
  description:
    'A day is summed up once it is over, and the sums stay when the footprints themselves are dropped. Those of models (`tokens_in`, `tokens_out`, `request_count`) are by agent, provider and model.',
  query: only({
    ...PageQuery,
    from: Type.Optional(Day),
    to: Type.Optional(Day),
    metric: Type.Optional(Type.String({ maxLength: 63 })),
    agent: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  }),
  answers: { 200: pageOf(FootprintRollup) },
  example: {
    query: { from: '2026-03-01', metric: 'tokens_in' },
    answer: samplePage({
      day: '2026-03-28',
      env_id: 'default',
      source_kind: 'model',
      metric: 'tokens_in',
      unit: 'token',
      class: 'billable',
      agent: 'investigator',
      provider: 'claude',
      model: 'claude-sonnet-4-5-20250929',
      quantity: 48_213,
      footprints: 31,
    }),
  },
  async answer({ query, correlationId }, { store: { reader } }) {
    const [offset] = query.cursor === undefined ? [0] : decodeCursor(query.cursor, ['number'])
    const page = {
      from: query.from ?? null,
      to: query.to ?? null,
      metric: query.metric ?? null,
      agent: query.agent ?? null,
      model: query.model ?? null,
      offset: Math.max(0, offset),
      limit: query.limit + 1,
    }
    const rows = await footprintRollups(reader, page)
    return pageBody(
      rows,
      { limit: query.limit, correlationId },
      () => [page.offset + query.limit],
      (row) => row,
    )
  },
})
