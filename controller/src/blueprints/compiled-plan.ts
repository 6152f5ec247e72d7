import type { SecretParameter } from '../kinds/secret-ref.ts'
import type { Json, JsonObject } from '../lib/json.ts'

/**
 * What a run follows: a blueprint with its order made explicit and every expression checked. Plain JSON, stored under
 * its digest; a run is pinned to it, so a newer blueprint never changes a running run.
 * Expressions stay as CEL text; templates stay as JSON whose strings may hold `{{ }}`.
 */
export interface CompiledPlan {
  readonly format: 1
  readonly blueprint: { readonly namespace: string; readonly name: string }
  readonly triggers: readonly CompiledTrigger[]
  readonly schedules: readonly CompiledSchedule[]
  readonly inputs: readonly CompiledInput[]
  readonly limits: {
    readonly maxSteps: number
    readonly timeoutMs: number
    readonly concurrency: number | null
    /** What a run may cost in all, in nano-USD, as digits; absent = it does not say. */
    readonly maxNanoUsd?: string
  }
  /** How many runs there may be that have not begun, and how many may be made in a minute; null = any number. */
  readonly backpressure: { readonly maxPending: number | null; readonly ratePerMinute: number | null } | null
  /** In the order of the file; `waitsFor` names earlier ones only. */
  readonly steps: readonly CompiledStep[]
  readonly outputs: readonly { readonly name: string; readonly value: Json }[]
  /** Absent = a run that fails stops, and what it did stays. */
  readonly onFailure?: 'rollback'
}

export interface CompiledTrigger {
  /** Event name or glob (`checkmk.*`). */
  readonly event: string
  /** CEL over `event`; a missing key means no match. */
  readonly filter: string | null
  /** Template over `event`. */
  readonly dedupeKey: string | null
  /** How long the key stays taken after the run has ended. */
  readonly dedupeWindowMs: number
  /** Where its events come from: then `event` is `webhook.<name>`. */
  readonly webhook: CompiledWebhook | null
}

export interface CompiledWebhook {
  readonly name: string
  readonly secretRef: { readonly name: string; readonly key: string }
  /** Names of headers are in lower case. */
  readonly header: string
  readonly timestampHeader: string | null
  readonly deliveryHeader: string
  readonly replayWindowMs: number
}

export interface CompiledSchedule {
  /** Cron, five fields. */
  readonly schedule: string
  readonly timeZone: string
  /** What happens when a run of it is still open at the next time. */
  readonly concurrencyPolicy: 'Allow' | 'Forbid' | 'Replace'
  /** How late a run may start; null = however late. */
  readonly startingDeadlineMs: number | null
  /** Given to the run as they are. */
  readonly inputs: JsonObject
}

export interface CompiledInput {
  readonly name: string
  readonly schema: JsonObject | null
  readonly required: boolean
  readonly default: Json | null
  readonly hasDefault: boolean
  /** CEL over `event`, read when the run was started by one and the input was not given. */
  readonly from: string | null
}

interface StepBase {
  /** Unique in the plan: `^[a-z][a-z0-9_]{0,62}$`. */
  readonly id: string
  readonly name: string
  /** Steps that must have ended before: `needs` (or the step above) and every step its expressions mention. */
  readonly waitsFor: readonly string[]
  /** CEL; false = skipped. */
  readonly if: string | null
  readonly timeoutMs: number | null
  /** Where it stands in the state repo: `blueprints/x.yaml:12:5`. */
  readonly place: string | null
}

/** When a failed attempt is followed by another one. */
export interface RetryPolicy {
  /** Attempts in all. */
  readonly maxAttempts: number
  readonly firstMs: number
  readonly factor: number
  readonly maxMs: number
  /** 0 to 1. */
  readonly jitter: number
  /** CEL over `error`; null = errors that are marked retryable. */
  readonly retryIf: string | null
}

export interface AgentTaskStep extends StepBase {
  readonly kind: 'agent_task'
  readonly agent: string
  readonly model: string | null
  /** Of models; absent = as the agent says. */
  readonly provider?: string
  /** Template. */
  readonly prompt: string
  /** Template: what the agent gets besides the prompt (default: the run's inputs). */
  readonly with: JsonObject | null
  readonly outputSchema: JsonObject | null
  readonly keepWorkspace: boolean
  /** What it may cost, in nano-USD, as digits: kept before it begins; absent = nothing is kept. */
  readonly maxNanoUsd?: string
  /** Rows the work is expected to read or write; absent = few. */
  readonly expectedRows?: number
  /** Absent in plans of before there was one. */
  readonly retry?: RetryPolicy | null
}

export interface ActionTaskStep extends StepBase {
  readonly kind: 'action_task'
  readonly action: string
  /** Template. */
  readonly with: JsonObject
  /** CEL for the parameters as they are, where they were worked out before; then `with` is empty. */
  readonly request?: string
  /** Which parameters of `request` name secrets. */
  readonly refs?: readonly SecretParameter[]
  /** The call that undoes it; absent = it cannot be undone. */
  readonly undo?: { readonly action: string; readonly with: JsonObject }
  readonly retry?: RetryPolicy | null
}

export interface GateStep extends StepBase {
  readonly kind: 'gate'
  readonly mode: 'manual' | 'pullRequest' | 'policy'
  /** `role:…`, `team:…`, `user:…`, `principal:…`; empty = anybody who may approve. */
  readonly approvers: readonly string[]
  readonly min: number
  /** Whether whoever started the run may approve it. */
  readonly selfApproval: 'allow' | 'deny'
  /** What an approval has to bring; the step's output then. Null = it brings nothing. */
  readonly inputSchema: JsonObject | null
  readonly onTimeout: 'approve' | 'reject'
  /** Template shown to the one who decides. */
  readonly message: string | null
}

export interface TransformStep extends StepBase {
  readonly kind: 'transform'
  /** CEL. */
  readonly expression: string
}

export interface WaitStep extends StepBase {
  readonly kind: 'wait'
  /** Name or glob of the event that is waited for; null = only time is. */
  readonly event: string | null
  /** CEL over `event` (the one that came) and what else the step knows; a missing key means no match. */
  readonly filter: string | null
  /** Steps the filter mentions. */
  readonly filterSteps: readonly string[]
  readonly durationMs: number | null
  readonly onTimeout: 'fail' | 'continue'
}

export interface ForeachStep extends StepBase {
  readonly kind: 'foreach'
  /** CEL; a list. */
  readonly items: string
  /** Name of the item in the expressions of `steps`. */
  readonly as: string
  readonly concurrency: number
  readonly maxIterations: number
  /** The plan of an iteration, in an order that can be followed. */
  readonly steps: readonly CompiledStep[]
  /** Id of the step whose output is the iteration's. */
  readonly result: string
}

/** A call of another blueprint, whose plan runs inside of the run that calls it. */
export interface BlueprintStep extends StepBase {
  readonly kind: 'blueprint'
  readonly ref: string
  /** Template. */
  readonly inputs: JsonObject
  /** The called blueprint as it was accepted together with the calling one. */
  readonly plan: CalledBlueprint
}

export interface CalledBlueprint extends Pick<CompiledPlan, 'inputs' | 'steps' | 'outputs'> {
  /** Of its whole plan. */
  readonly digest: string
}

export type CompiledStep =
  | AgentTaskStep
  | ActionTaskStep
  | GateStep
  | TransformStep
  | WaitStep
  | ForeachStep
  | BlueprintStep
export type StepKind = CompiledStep['kind']
