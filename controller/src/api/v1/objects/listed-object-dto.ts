import Type, { type Static } from 'typebox'
import type { ListedObject } from '../../../store/queries/objects-list.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time, Uuid } from '../schemas.ts'

const ConditionDto = Type.Object(
  {
    type: Type.String(),
    status: Type.Enum(['True', 'False', 'Unknown']),
    reason: Type.String(),
    message: Type.String(),
    last_transition_time: Nullable(Time),
  },
  { title: 'Condition' },
)

export const listedFields = {
  uid: Uuid,
  kind: Type.String(),
  namespace: Type.String({ description: 'empty for a kind without namespaces' }),
  name: Type.String(),
  source: Type.String({ description: 'the Source that declares it; (spawned) = an agent did' }),
  file: Type.String({ description: 'path in the source' }),
  document: Type.Integer({ description: 'its number in the file, from 0' }),
  revision: Type.String({ description: 'the commit it stands on' }),
  generation: Type.Integer(),
  resource_version: Type.Integer({ description: 'number of the last event about it' }),
  labels: Type.Record(Type.String(), Type.String()),
  ready: Type.Enum(['True', 'False', 'Unknown']),
  conditions: Type.Array(ConditionDto),
  created_at: Time,
  deletion_timestamp: Nullable(Time),
}
export const ListedObjectDto = Type.Object(listedFields, { title: 'ListedObject' })

export function listedDto(row: ListedObject): Static<typeof ListedObjectDto> {
  const conditions = (row.conditions ?? []).map(({ type, status, reason, message, lastTransitionTime }) => ({
    ...{ type, status, reason, message },
    last_transition_time: lastTransitionTime ?? null,
  }))
  return {
    uid: row.uid,
    kind: row.kind,
    namespace: row.namespace,
    name: row.name,
    source: row.source,
    file: row.origin_file,
    document: row.origin_document,
    revision: row.last_applied_revision,
    generation: row.generation,
    resource_version: row.resource_version,
    labels: { ...row.labels },
    ready: conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown',
    conditions,
    created_at: row.created_at.toISOString(),
    deletion_timestamp: row.deletion_timestamp?.toISOString() ?? null,
  }
}

export const sampleListed: Static<typeof ListedObjectDto> = {
  uid: SAMPLE.agent,
  kind: 'Agent',
  namespace: 'default',
  name: 'sre',
  source: 'state',
  file: 'agents/sre.yaml',
  document: 0,
  revision: SAMPLE.revision,
  generation: 2,
  resource_version: 4711,
  labels: { team: 'platform' },
  ready: 'True',
  conditions: [
    {
      ...{ type: 'Ready', status: 'True', reason: 'Succeeded', message: '1 of 1 instances are ready' },
      last_transition_time: SAMPLE.later,
    },
  ],
  created_at: SAMPLE.time,
  deletion_timestamp: null,
}
