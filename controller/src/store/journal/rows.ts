import type { Json, JsonObject } from '../../lib/json.ts'
import type { GateState } from '../../lifecycle/gate.ts'
import type { RunState as RunStatus } from '../../lifecycle/run.ts'
import type { StepState as StepStatus } from '../../lifecycle/step.ts'
import type { NewEvent } from '../ports.ts'

export type { GateState, RunStatus, StepStatus }

type EffectState = 'intent' | 'succeeded' | 'failed' | 'quarantined'

/** What never changes in a run. */
export interface NewRun {
  readonly run_id: string
  readonly namespace: string
  readonly name: string
  readonly blueprint_uid: string
  readonly blueprint: string
  readonly revision: string
  readonly plan_digest: string
  readonly priority: number
  /** `manual`, or `event:<name or glob of the trigger>`. */
  readonly trigger: string
  /** The event that started it. */
  readonly trigger_event: string | null
  readonly dedupe_key: string | null
  /** The event as expressions see it; null when none started the run. */
  readonly event: JsonObject | null
  readonly inputs: JsonObject
  readonly actor: string
  readonly correlation_id: string
  readonly created_at: Date
}

/** Everything of a run that can change, whole. Written only while the run is ours and in one of `from`. */
export interface RunUpdate {
  readonly run_id: string
  readonly from: readonly RunStatus[]
  readonly status: RunStatus
  /** Gives the run up: nobody owns it until `wake_at`, or until something comes to its inbox. */
  readonly release: boolean
  /** What the owner knows of the inbox; with a newer count a released run wakes at `now` instead of `wake_at`. */
  readonly signals: number
  readonly now: Date
  readonly wake_at: Date | null
  readonly outputs: Json | null
  readonly error: Json | null
  readonly condition: Json | null
  readonly started_at: Date | null
  readonly completed_at: Date | null
  readonly deadline: Date | null
}

/** A step as it is from now on, whole. */
export interface StepRow {
  readonly run_id: string
  readonly path: string
  readonly attempt: number
  readonly step_id: string
  readonly kind: string
  readonly status: StepStatus
  readonly inputs: Json | null
  readonly outputs: Json | null
  readonly error: Json | null
  readonly condition: Json | null
  readonly started_at: Date | null
  readonly completed_at: Date | null
  /** When the next attempt begins; null while none is waited for. */
  readonly next_attempt_at: Date | null
}

export interface GateRow {
  readonly step_id: string
  readonly run_id: string
  readonly path: string
  /** As the step says, or `quarantine` for an effect whose outcome nobody knows. */
  readonly mode: 'manual' | 'pullRequest' | 'policy' | 'quarantine'
  readonly approvers: readonly string[]
  readonly min_approvals: number
  /** JSON Schema of what an approval has to bring; null = nothing. */
  readonly input_schema: Json | null
  /** Whether whoever started the run may approve. */
  readonly self_approval: boolean
  /** What is asked: a decision from the state repo names it. */
  readonly input_digest: string
  /** Branch on which the decision is proposed; null = its mode needs none. */
  readonly proposal: string | null
  readonly state: GateState
  readonly timeout_at: Date | null
  readonly created_at: Date
  readonly decided_at: Date | null
}

/** The ledger of effects: the intent is durable before the effect starts. */
export interface EffectRow {
  /** `<run>/<step path>/<attempt>`. */
  readonly operation_id: string
  readonly run_id: string
  readonly path: string
  readonly attempt: number
  readonly tool: string
  readonly idempotent: boolean
  readonly request_digest: string
  readonly state: EffectState
  readonly created_at: Date
  readonly ended_at: Date | null
}

export interface TaskRow {
  readonly task_id: string
  readonly namespace: string
  readonly agent: string
  readonly run_id: string
  readonly step_id: string
  readonly path: string
  readonly prompt: string
  readonly inputs: Json
  readonly output_schema: Json | null
  readonly deadline: Date | null
  readonly keep_workspace: boolean
  readonly expected_rows: number | null
  readonly correlation_id: string
  readonly created_at: Date
}

/** What policies decided about something that was asked for. */
export interface DecisionRow {
  readonly decision_id: string
  readonly decided_at: Date
  readonly point: string
  readonly action: string
  readonly subject: string
  /** Of what it is about; empty = it has none. */
  readonly namespace: string
  readonly resource_type: string
  readonly resource_name: string
  readonly env_id: string
  readonly risk: string
  readonly effect: 'allow' | 'deny' | 'require_approval'
  /** Of the version that decided; all null = those that are about it only record what they would decide. */
  readonly policy_uid: string | null
  /** `<namespace>/<name>`. */
  readonly policy: string | null
  readonly policy_version: number | null
  readonly rule: string | null
  readonly reason: string
  /** What each policy said: `{policy, version, rule, effect, enforced}`. */
  readonly opinions: JsonObject[]
  readonly inputs_digest: string
  /** What was asked; null = it was too large to be kept. */
  readonly inputs: JsonObject | null
  readonly run_id: string | null
  readonly step_id: string | null
  readonly proposal: string | null
  readonly correlation_id: string
}

/** A step that waits for an event; events logged before this row do not count. */
export interface WaitRow {
  readonly step_id: string
  readonly run_id: string
  readonly path: string
  /** Event name or glob. */
  readonly event: string
  /** CEL; null = any event of that name. */
  readonly filter: string | null
  /** What the filter reads besides `event`. */
  readonly bindings: Json
  readonly created_at: Date
}

/** The step does not wait any more. */
export interface WaitEnd {
  readonly step_id: string
}

/** Ends the task of a step that nobody waits for any more. */
export interface TaskCancel {
  readonly run_id: string
  readonly step_id: string
  readonly completed_at: Date
}

export interface InboxConsumed {
  readonly id: string
  readonly consumed_at: Date
}

/**
 * One move of one run: all of it becomes durable together, or none of it. Transitions of a run take effect in the order
 * they were appended.
 */
export interface Transition {
  readonly run_id: string
  /** The run itself, when it does not exist before; `run` then says how it stands after this very move. */
  readonly created?: NewRun | null
  readonly run: RunUpdate | null
  readonly steps: readonly StepRow[]
  readonly gates: readonly GateRow[]
  readonly effects: readonly EffectRow[]
  readonly tasks: readonly TaskRow[]
  readonly taskCancels: readonly TaskCancel[]
  readonly waits: readonly WaitRow[]
  readonly waitEnds: readonly WaitEnd[]
  readonly consumed: readonly InboxConsumed[]
  /** Left out = none. */
  readonly decisions?: readonly DecisionRow[]
  readonly events: readonly NewEvent[]
}
