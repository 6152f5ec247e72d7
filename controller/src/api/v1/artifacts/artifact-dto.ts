import Type, { type Static } from 'typebox'
import type { ArtifactRow } from '../../../store/queries/artifacts.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

/** A kind of artifact: log, report, bundle, file, or another word. */
export const Word = Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z][a-z0-9_-]*$' })
export const ArtifactParams = Type.Object({ artifact_id: Uuid })

export const artifactFields = {
  artifact_id: Uuid,
  name: Type.String(),
  kind: Type.String(),
  content_type: Type.String(),
  byte_length: Nullable(Type.Integer()),
  created_at: Time,
  created_by: Type.String(),
  run_id: Nullable(Uuid),
  step_id: Nullable(Uuid),
  sha256: Nullable(Type.String({ description: 'lower-case hex; null until the bytes have come' })),
  metadata: JsonMap,
}
export const Artifact = Type.Object(artifactFields, { title: 'Artifact' })

export function artifactDto(row: ArtifactRow): Static<typeof Artifact> {
  return {
    artifact_id: row.artifact_id,
    name: row.name,
    kind: row.kind,
    content_type: row.content_type,
    byte_length: row.byte_length,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    run_id: row.run_id,
    step_id: row.step_id,
    sha256: row.sha256,
    metadata: row.metadata,
  }
}

export const sampleArtifact: Static<typeof Artifact> = {
  artifact_id: SAMPLE.artifact,
  name: 'report.json',
  kind: 'report',
  content_type: 'application/json',
  byte_length: 2048,
  created_at: SAMPLE.later,
  created_by: 'user:ada',
  run_id: SAMPLE.run,
  step_id: null,
  sha256: SAMPLE.digest,
  metadata: {},
}
