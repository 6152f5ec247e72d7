import type {
  AgentHealth,
  AgentMetrics,
  Artifact,
  AuditVerdict,
  Event,
  Gate,
  Replay,
  Run,
  Step,
  TaskWithParts,
} from './operations.ts'

export type AgentHealthDto = AgentHealth
export type AgentMetricsDto = AgentMetrics
export type ArtifactDto = Artifact
export type AuditVerdictDto = AuditVerdict
export type EventDto = Event
export type GateDto = Gate
export type ReplayDto = Replay
export type RunDto = Run
export type StepDto = Step
export type TaskDto = TaskWithParts
