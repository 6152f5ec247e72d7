import { pageApiKeys } from '../../../store/queries/api-keys.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { only, PageQuery, pageOf } from '../schemas.ts'
import { ApiKey, keyDto, sampleKey } from './key-dto.ts'

export const listKeys = route({
  operation: 'listKeys',
  method: 'GET',
  path: '/api/v1/keys',
  tag: 'access',
  access: 'keys.read',
  summary: 'List API keys, the newest first',
  description: 'Revoked ones too. The keys themselves are not kept.',
  query: only(PageQuery),
  answers: { 200: pageOf(ApiKey) },
  example: { answer: samplePage(sampleKey) },
  async answer({ query, correlationId }, { store }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const after = position === null ? null : { createdAt: position[0], keyId: position[1] }
    const rows = await pageApiKeys(store.engine, { after, limit: query.limit + 1 })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.created_at, last.key_id], keyDto)
  },
})
