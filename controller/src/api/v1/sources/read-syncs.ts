import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid } from '../../../lib/ids.ts'
import { pageSyncs, syncById } from '../../../store/queries/syncs-read.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { Name, only, PageQuery, pageOf } from '../schemas.ts'
import { SourceParams, Sync, sampleSync, syncDto, syncWithChanges } from './sync-dto.ts'

export const listSyncs = route({
  operation: 'listSyncs',
  method: 'GET',
  path: '/api/v1/sources/{source}/syncs',
  tag: 'sources',
  access: 'read',
  summary: 'History of a source, the newest first',
  params: SourceParams,
  query: only(PageQuery),
  answers: { 200: pageOf(Sync) },
  example: { params: { source: 'default' }, answer: samplePage(sampleSync) },
  async answer({ params, query, correlationId }, { store }) {
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
    const rows = await pageSyncs(store.reader, { source: params.source, before, limit: query.limit + 1 })
    return pageBody(rows, { limit: query.limit, correlationId }, ({ seq }) => [seq], syncDto)
  },
})

export const readSync = route({
  operation: 'readSync',
  method: 'GET',
  path: '/api/v1/sources/{source}/syncs/{id}',
  tag: 'sources',
  access: 'read',
  summary: 'Read one sync with its changes',
  params: Type.Object({ source: Name, id: Type.String() }),
  answers: { 200: Sync },
  example: { params: { source: 'default', id: sampleSync.id }, answer: { ...sampleSync, changes: [] } },
  async answer({ params }, { store }) {
    const row = isUuid(params.id) ? await syncById(store.reader, params.id) : null
    if (row === null || row.source !== params.source)
      throw fail('SW_NOT_FOUND', `source ${params.source} has no sync ${params.id}`)
    return syncWithChanges(row)
  },
})
