import Type from 'typebox'
import { countRuns, pageRuns } from '../../../store/queries/runs-read.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { only, PageQuery, pageOf } from '../schemas.ts'
import { RunFilter, runFilter } from './run-filter.ts'

export const listRuns = route({
  operation: 'listRuns',
  method: 'GET',
  path: '/api/v1/runs',
  tag: 'runs',
  access: 'read',
  summary: 'List runs, the newest first',
  query: only({
    ...PageQuery,
    ...RunFilter,
    values: Type.Boolean({
      default: true,
      description: 'false = with empty inputs and without outputs, which may be large',
    }),
  }),
  answers: { 200: pageOf(Run) },
  example: { query: { status: 'created,running', limit: 20 }, answer: samplePage(sampleRun) },
  async answer({ query, correlationId }, { store }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageRuns(store.reader, {
      ...runFilter(query),
      after: position === null ? null : { createdAt: position[0], runId: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(
      rows,
      { limit: query.limit, correlationId },
      (run) => [run.created_at, run.run_id],
      (run) => runDto(query.values ? run : { ...run, inputs: {}, outputs: null }),
    )
  },
})

const Count = Type.Integer({ minimum: 0 })

export const countRunsByStatus = route({
  operation: 'countRuns',
  method: 'GET',
  path: '/api/v1/run-counts',
  tag: 'runs',
  access: 'read',
  summary: 'Count runs by status',
  query: only(RunFilter),
  answers: {
    200: Type.Object(
      {
        created: Count,
        running: Count,
        completed: Count,
        failed: Count,
        cancelled: Count,
        waiting: Type.Integer({ minimum: 0, description: 'those among them that wait for the decision of a person' }),
        total: Count,
        correlation_id: Type.String(),
      },
      { title: 'RunCounts' },
    ),
  },
  example: {
    query: { since: SAMPLE.time },
    answer: {
      ...{ created: 2, running: 3, completed: 120, failed: 4, cancelled: 1, waiting: 1, total: 130 },
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ query, correlationId }, { store }) {
    const rows = await countRuns(store.reader, runFilter(query))
    const of = (status: string) => rows.find((row) => row.status === status)?.count ?? 0
    return {
      created: of('created'),
      running: of('running'),
      completed: of('completed'),
      failed: of('failed'),
      cancelled: of('cancelled'),
      waiting: rows.reduce((sum, row) => sum + row.waiting, 0),
      total: rows.reduce((sum, row) => sum + row.count, 0),
      correlation_id: correlationId,
    }
  },
})
