import type { Static } from 'typebox'
import type { Artifact, ArtifactUpload } from '../../api/v1/artifacts.ts'
import type { AuditVerdict } from '../../api/v1/audit.ts'
import type { Event } from '../../api/v1/event-dto.ts'
import type { Replay } from '../../api/v1/replay.ts'
import type { Run, Step } from '../../api/v1/run-dto.ts'

export type ArtifactDto = Static<typeof Artifact>
export type ArtifactUploadDto = Static<typeof ArtifactUpload>
export type AuditVerdictDto = Static<typeof AuditVerdict>
export type EventDto = Static<typeof Event>
export type ReplayDto = Static<typeof Replay>
export type RunDto = Static<typeof Run>
export type StepDto = Static<typeof Step>

export interface Page<T> {
  readonly items: readonly T[]
  readonly next_cursor: string | null
}
