import type { Artifact, AuditVerdict, Event, Gate, Replay, Run, Step } from './operations.ts'

export type ArtifactDto = Artifact
export type AuditVerdictDto = AuditVerdict
export type EventDto = Event
export type GateDto = Gate
export type ReplayDto = Replay
export type RunDto = Run
export type StepDto = Step
