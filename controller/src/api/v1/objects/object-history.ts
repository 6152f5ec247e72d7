import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Change } from '../../../plan/change-set.ts'
import { type ObjectChangeRow, pageObjectHistory } from '../../../store/queries/objects-list.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { resolveKind } from '../../kind-names.ts'
import type { CommitFacts } from '../../ports/approvals.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { NamespaceQuery, Nullable, only, PageQuery, pageOf, Time, Uuid } from '../schemas.ts'
import { CommitDto, sampleFacts } from './commit-dto.ts'
import { ObjectParams } from './read-object.ts'

const ObjectChange = Type.Object(
  {
    sync_id: Uuid,
    seq: Type.Integer(),
    source: Type.String(),
    revision: Type.String(),
    from_revision: Nullable(Type.String()),
    outcome: Type.String({ description: 'of the whole commit: applied, partial, refused or observed' }),
    actor: Type.String(),
    occurred_at: Time,
    action: Type.String({ description: 'create, update, delete, skip or blocked' }),
    reason: Nullable(Type.String()),
    message: Nullable(Type.String()),
    file: Nullable(Type.String()),
    fields: Type.Array(
      Type.Object({
        op: Type.Enum(['add', 'remove', 'replace']),
        pointer: Type.String(),
        from: Type.Optional(Type.Unknown()),
        to: Type.Optional(Type.Unknown()),
      }),
    ),
    commit: Nullable(CommitDto),
  },
  { title: 'ObjectChange' },
)

const sample: Static<typeof ObjectChange> = {
  sync_id: SAMPLE.sync,
  seq: 4711,
  source: 'state',
  revision: SAMPLE.revision,
  from_revision: null,
  outcome: 'applied',
  actor: 'system',
  occurred_at: SAMPLE.later,
  action: 'update',
  reason: null,
  message: null,
  file: 'agents/sre.yaml',
  fields: [{ op: 'replace', pointer: '/spec/replicas', from: 1, to: 2 }],
  commit: sampleFacts,
}

export const listObjectHistory = route({
  operation: 'listObjectHistory',
  method: 'GET',
  path: '/api/v1/objects/{kind}/{name}/history',
  tag: 'objects',
  access: 'read',
  summary: 'List the commits that did something to an object, the newest first',
  description: 'Also of an object that is gone.',
  params: ObjectParams,
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(ObjectChange) },
  example: { params: { kind: 'agent', name: 'sre' }, answer: samplePage(sample) },
  async answer({ params, query, correlationId }, { store, kinds, services }) {
    const kind = resolveKind(kinds, params.kind)
    if (kind === null) throw fail('SW_NOT_FOUND', `there is no kind "${params.kind}"`)
    const namespace = kind.scope === 'Cluster' ? '' : (query.namespace ?? 'default')
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
    const ref = { kind: kind.kind, namespace, name: params.name }
    const rows = await pageObjectHistory(store.reader, ref, { before, limit: query.limit + 1 })
    const revisions = [...new Set(rows.map((row) => row.to_revision))]
    const facts = await services.repository.commits(revisions)
    const commits = new Map(revisions.map((revision, i) => [revision, facts[i] ?? null]))
    const page = { limit: query.limit, correlationId }
    return pageBody(
      rows,
      page,
      ({ seq }) => [seq],
      (row) => changeDto(row, commits.get(row.to_revision) ?? null),
    )
  },
})

function changeDto(row: ObjectChangeRow, commit: CommitFacts | null): Static<typeof ObjectChange> {
  // As the ChangeSet that was stored had it.
  const change = row.change as unknown as Change
  return {
    sync_id: row.sync_id,
    seq: row.seq,
    source: row.source,
    revision: row.to_revision,
    from_revision: row.from_revision,
    outcome: row.outcome,
    actor: row.actor,
    occurred_at: row.occurred_at.toISOString(),
    action: change.action,
    reason: change.reason ?? null,
    message: change.message ?? null,
    file: change.file ?? null,
    fields: change.fields.map((field) => ({ ...field })),
    commit,
  }
}
