import Type, { type Static } from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import { pageSyncs, type SyncRow, syncById } from '../../store/queries/syncs-read.ts'
import type { ApiContext } from '../context.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import { idempotent } from '../http/idempotency.ts'
import { callerOf } from '../http/request-context.ts'
import { requestSignal } from '../http/request-signal.ts'
import type { Api } from '../http/typed.ts'
import { errorResponses, JsonMap, Name, Nullable, PageQuery, pageOf, Time, Uuid } from './schemas.ts'

const Sync = Type.Object({
  id: Uuid,
  source: Type.String(),
  seq: Type.Integer(),
  from_revision: Nullable(Type.String()),
  to_revision: Type.String(),
  outcome: Type.Union([
    Type.Literal('applied'),
    Type.Literal('partial'),
    Type.Literal('refused'),
    Type.Literal('observed'),
  ]),
  counts: JsonMap,
  issues: Type.Unknown(),
  ignored: Type.Integer(),
  digest: Type.String(),
  actor: Type.String(),
  occurred_at: Time,
  duration_ms: Type.Integer(),
  changes: Type.Optional(Type.Unknown({ description: 'only when one sync is read' })),
})

const SourceParams = Type.Object({ source: Name })

function syncDto(row: SyncRow): Static<typeof Sync> {
  const { changes: _, ...rest } = row
  return { ...rest, occurred_at: row.occurred_at.toISOString() }
}

/** A source: its history of ChangeSets, reading it now, and letting held-back deletions through. */
export function addSourceRoutes(app: Api, context: ApiContext): void {
  addHistory(app, context)
  const { sources } = context.services
  app.post(
    '/api/v1/sources/:source/sync',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Read a source now and wait until its head was accepted or refused',
        params: SourceParams,
        response: {
          200: Type.Object({
            revision: Type.String(),
            sync: Nullable(Sync),
            counts: JsonMap,
            issues: Type.Unknown(),
            correlation_id: Type.String(),
          }),
          ...errorResponses,
        },
      },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => {
        const signal = requestSignal(reply, context.stopping)
        const { revision, syncId, standing } = await sources.sync(request.params.source, { signal }, callerOf(request))
        const row = syncId === null ? null : await syncById(context.store.engine, syncId)
        const sync = row === null ? null : { ...syncDto(row), changes: row.changes }
        // Without a sync: how everything stands, which is what a plan of this head says.
        const { counts, issues } = sync ?? standing
        return { status: 200, body: { revision, sync, counts, issues, correlation_id: request.id } }
      }),
  )
  app.post(
    '/api/v1/sources/:source/deletions/approve',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Let the deletions of a revision through that the blast-radius limit holds back',
        params: SourceParams,
        body: Type.Object({ revision: Type.String({ minLength: 4, maxLength: 128 }) }, { additionalProperties: false }),
        response: {
          200: Type.Object({ revision: Type.String(), deletions: Type.Integer(), correlation_id: Type.String() }),
          ...errorResponses,
        },
      },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => ({
        status: 200,
        body: {
          ...(await sources.approveDeletions(request.params.source, request.body.revision, callerOf(request))),
          correlation_id: request.id,
        },
      })),
  )
}

function addHistory(app: Api, context: ApiContext): void {
  const { reader } = context.store
  app.get(
    '/api/v1/sources/:source/syncs',
    {
      config: { access: 'read' },
      schema: {
        summary: 'History of a source, the newest first',
        params: SourceParams,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(Sync), ...errorResponses },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query
      const [before = null] = cursor === undefined ? [] : decodeCursor(cursor, ['number'])
      const rows = await pageSyncs(reader, { source: request.params.source, before, limit: limit + 1 })
      const items = rows.slice(0, limit)
      const next = rows.length > limit ? encodeCursor([items.at(-1)!.seq]) : null
      return { items: items.map(syncDto), next_cursor: next, correlation_id: request.id }
    },
  )
  app.get(
    '/api/v1/sources/:source/syncs/:id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'One sync with its changes',
        params: Type.Object({ source: Name, id: Type.String() }),
        response: { 200: Sync, ...errorResponses },
      },
    },
    async (request) => {
      const row = isUuid(request.params.id) ? await syncById(reader, request.params.id) : null
      if (row === null || row.source !== request.params.source)
        throw fail('SW_NOT_FOUND', `source ${request.params.source} has no sync ${request.params.id}`)
      return { ...syncDto(row), changes: row.changes }
    },
  )
}
