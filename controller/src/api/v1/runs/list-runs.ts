import Type from 'typebox'
import { pageRuns, type RunStatus } from '../../../store/queries/runs-read.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'

const STATUS = 'created|running|completed|failed|cancelled'

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
    status: Type.Optional(
      Type.String({
        maxLength: 100,
        pattern: `^(${STATUS})(,(${STATUS}))*$`,
        description: `one of ${STATUS.replaceAll('|', ', ')}, or several with commas`,
      }),
    ),
    blueprint_ref: Type.Optional(
      Type.String({ maxLength: 253, description: 'name of the blueprint, or the id its older format had' }),
    ),
    since: Type.Optional(Type.String({ format: 'date-time', description: 'only runs created then or later' })),
    waits_for: Type.Optional(
      Type.Literal('approval', { description: 'approval = only runs that wait for the decision of a person' }),
    ),
  }),
  answers: { 200: pageOf(Run) },
  example: { query: { status: 'created,running', limit: 20 }, answer: samplePage(sampleRun) },
  async answer({ query, correlationId }, { store }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageRuns(store.reader, {
      namespace: query.namespace ?? null,
      blueprint: query.blueprint_ref ?? null,
      // The pattern lets only such words pass.
      statuses: query.status === undefined ? null : (query.status.split(',') as RunStatus[]),
      since: query.since === undefined ? null : new Date(query.since),
      waitsForApproval: query.waits_for === 'approval',
      after: position === null ? null : { createdAt: position[0], runId: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(rows, { limit: query.limit, correlationId }, (run) => [run.created_at, run.run_id], runDto)
  },
})
