import type { Executor } from '../../store/database.ts'
import { type ObjectRow, pageObjects } from '../../store/queries/objects-read.ts'
import { decodeCursor, pageBody } from '../http/cursor.ts'

/** A page of the declared objects of one kind, by namespace and name. */
export async function pageOfKind(
  sql: Executor,
  kind: string,
  query: { readonly cursor?: string; readonly namespace?: string; readonly limit: number },
  correlationId: string,
) {
  const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string'])
  const rows = await pageObjects(sql, {
    kind,
    namespace: query.namespace ?? null,
    name: null,
    after: position === null ? null : { namespace: position[0], name: position[1] },
    limit: query.limit + 1,
  })
  return pageBody<ObjectRow, ObjectRow>(
    rows,
    { limit: query.limit, correlationId },
    ({ namespace, name }) => [namespace, name],
    (row) => row,
  )
}
