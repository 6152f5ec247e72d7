import Type, { type Static } from 'typebox'
import type { SyncRow } from '../../../store/queries/syncs-read.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, Nullable, Time, Uuid } from '../schemas.ts'

export const SourceParams = Type.Object({ source: Name })

const count = Type.Integer()
export const Counts = Type.Object(
  { create: count, update: count, unchanged: count, delete: count, skip: count, blocked: count },
  { title: 'ChangeCounts' },
)

export const Issues = Type.Array(
  Type.Object(
    {
      code: Type.String({ description: 'SW_…, as in the reference of errors' }),
      severity: Type.Enum(['error', 'warning']),
      message: Type.String(),
      hint: Type.String({ description: 'what to do about it' }),
      file: Type.Optional(Type.String()),
      line: Type.Optional(Type.Integer({ description: 'from 1' })),
      column: Type.Optional(Type.Integer({ description: 'from 1' })),
      pointer: Type.Optional(Type.String({ description: 'JSON pointer into the document' })),
      object: Type.Optional(Type.String({ description: 'kind, namespace and name, with slashes' })),
    },
    { title: 'Issue' },
  ),
)

export const Sync = Type.Object(
  {
    id: Uuid,
    source: Type.String(),
    seq: Type.Integer(),
    from_revision: Nullable(Type.String()),
    to_revision: Type.String(),
    outcome: Type.Enum(['applied', 'partial', 'refused', 'observed']),
    counts: Counts,
    issues: Issues,
    ignored: Type.Integer(),
    digest: Type.String(),
    actor: Type.String(),
    occurred_at: Time,
    duration_ms: Type.Integer(),
    changes: Type.Optional(
      Type.Array(JsonMap, { description: 'what changed, as a plan shows it; only when one sync is read' }),
    ),
  },
  { title: 'Sync' },
)

export function syncDto(row: SyncRow): Static<typeof Sync> {
  const { changes: _, ...rest } = row
  return {
    ...rest,
    // As the ChangeSet that was stored had them.
    counts: row.counts as Static<typeof Counts>,
    issues: row.issues as Static<typeof Issues>,
    occurred_at: row.occurred_at.toISOString(),
  }
}

export function syncWithChanges(row: SyncRow): Static<typeof Sync> {
  return { ...syncDto(row), changes: row.changes as Record<string, unknown>[] }
}

export const sampleSync: Static<typeof Sync> = {
  id: SAMPLE.sync,
  source: 'default',
  seq: 4700,
  from_revision: null,
  to_revision: SAMPLE.revision,
  outcome: 'applied',
  counts: { create: 7, update: 0, unchanged: 0, delete: 0, skip: 0, blocked: 0 },
  issues: [],
  ignored: 2,
  digest: SAMPLE.digest,
  actor: 'system',
  occurred_at: SAMPLE.time,
  duration_ms: 42,
}
