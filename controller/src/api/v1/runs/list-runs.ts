import Type from 'typebox'
import { pageRuns } from '../../../store/queries/runs-read.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { Run, RunStatusWord, runDto, sampleRun } from '../run-dto.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'

export const listRuns = route({
  operation: 'listRuns',
  method: 'GET',
  path: '/api/v1/runs',
  tag: 'runs',
  access: 'read',
  summary: 'List runs, the newest first',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    status: Type.Optional(RunStatusWord),
    blueprint_ref: Type.Optional(Type.String({ maxLength: 253 })),
  }),
  answers: { 200: pageOf(Run) },
  example: { query: { status: 'running', limit: 20 }, answer: samplePage(sampleRun) },
  async answer({ query, correlationId }, { store }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageRuns(store.reader, {
      namespace: query.namespace ?? null,
      blueprint: query.blueprint_ref ?? null,
      status: query.status ?? null,
      after: position === null ? null : { createdAt: position[0], runId: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(rows, { limit: query.limit, correlationId }, (run) => [run.created_at, run.run_id], runDto)
  },
})
