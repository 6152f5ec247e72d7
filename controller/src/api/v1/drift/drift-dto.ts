import Type, { type Static } from 'typebox'
import type { DriftRow } from '../../../store/queries/drifts.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time, Uuid } from '../schemas.ts'

export const Drift = Type.Object(
  {
    id: Uuid,
    object: Type.Object({ kind: Type.String(), namespace: Type.String(), name: Type.String() }),
    source: Type.String({ description: 'what sees it: override, replicas, file, tool-schema, model' }),
    field: Type.String({ description: 'a pointer into the object, or a path of the state repo' }),
    live: Type.Unknown({ description: 'of a file, its sha256 and size; null = it is not there' }),
    declared: Type.Unknown({ description: 'what Git says' }),
    detail: Type.String(),
    set_by: Nullable(Type.String()),
    since: Time,
    enforcing: Type.Boolean({ description: 'somebody asked for what Git says; it goes when that is so' }),
    branch: Nullable(Type.String({ description: 'of the proposal that takes over the live value' })),
    commit: Nullable(Type.String()),
  },
  { title: 'Drift' },
)

export function driftDto(row: DriftRow): Static<typeof Drift> {
  const { id, kind, namespace, name, source, field, live, declared, detail, set_by, enforcing, branch, commit } = row
  return {
    ...{ id, object: { kind, namespace, name }, source, field, live, declared, detail, set_by },
    ...{ since: row.since.toISOString(), enforcing, branch, commit },
  }
}

export const sampleDrift: Static<typeof Drift> = {
  id: SAMPLE.intervention,
  object: { kind: 'Agent', namespace: 'default', name: 'sre' },
  source: 'override',
  field: '/spec/suspend',
  live: true,
  declared: null,
  detail: 'spec.suspend is true, set by user:ada: restarts too much; Git says nothing',
  set_by: 'user:ada',
  since: SAMPLE.time,
  enforcing: false,
  branch: null,
  commit: null,
}
