import type { CompiledPlan } from '../blueprints/compiled-plan.ts'
import type { Reservation, ReserveRequest } from '../budgets/reserve.ts'
import type { Outcome } from '../budgets/settle.ts'
import type { EnvValue } from '../expressions/values.ts'
import type { SecretParameter } from '../kinds/secret-ref.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { ApprovalRequirement } from '../policy/evaluate/verdict.ts'
import type { DecisionRow } from '../store/journal.ts'
import type { NewEvent } from '../store/ports.ts'
import type { RunRow } from '../store/queries/runs.ts'

/** What a run asks of the tool registry. `operationId` is the idempotency key: `<run>/<step path>/<attempt>`. */
export interface ToolCall {
  readonly tool: string
  /** Rendered parameters; shell parameters come as {@link ShellText} of expressions/shell-template.ts. */
  readonly with: JsonObject
  /** Which of them name secrets: only the tool gets these, in their place. */
  readonly refs?: readonly SecretParameter[]
  readonly namespace: string
  readonly operationId: string
  readonly correlationId: string
  /** Whoever started the run. */
  readonly actor?: string
  /** The folder the call may read and write. */
  readonly workspace: string
  readonly deadline: Date | null
}

export interface ToolInfo {
  readonly name: string
  /** Repeating it is harmless: an unknown outcome after a crash may be tried again. */
  readonly idempotent: boolean
  /** The same for one call, where it depends on the parameters (a GET is, a POST is not); wins over {@link idempotent}. */
  readonly idempotentFor?: (parameters: JsonObject) => boolean
  /** A call changes nothing anywhere and costs nothing: it may begin before anything of it is recorded. Default false. */
  readonly withoutEffects?: boolean
  /** False = it neither reads nor writes the run's folder, which then need not be there. Default true. */
  readonly usesWorkspace?: boolean
  readonly inputSchema: JsonObject
  readonly timeoutMs: number
  /** A call leaves nothing behind that could be undone. */
  readonly leavesNothing?: boolean
  /** How much harm a wrong call can do. */
  readonly risk?: 'low' | 'medium' | 'high'
  /** What a call leaves behind. */
  readonly sideEffects?: 'none' | 'reversible' | 'irreversible'
  /** What a call costs and how long it takes, by the tool's own declaration; absent = it declares nothing. */
  readonly estimatedCents?: number
  readonly estimatedLatencyMs?: number
  /** It only says what it would do: a call costs nothing, whatever it declares. */
  readonly isRehearsal?: boolean
  /** What it costs it charges itself: no money is kept for a call by what it declares. */
  readonly paysItself?: boolean
  /** `tool.undo` can take a call of it back. */
  readonly isUndoable?: boolean
  /** What an agent's capabilities have to cover. Default: nothing. */
  readonly permissions?: readonly string[]
  /** It works on the run itself: whoever moves the run does it, in the transaction of the step. */
  readonly inRun?: boolean
}

/** Whether whoever started a run may have a tool called; throws SW_TOOL_FORBIDDEN when not. Costs no query. */
export type ToolPermits = (question: {
  readonly actor: string
  readonly tool: ToolInfo
  /** As the plan calls it. */
  readonly name: string
}) => void

/** The tool registry as the run engine sees it. A failed call throws a StatewardError (SW_TOOL_FAILED, SW_STEP_TIMEOUT …). */
export interface ToolRunner {
  /** By name or alias in a namespace; null when there is none. */
  find(name: string, namespace: string): ToolInfo | null
  run(call: ToolCall, options: { readonly signal: AbortSignal; readonly log: (line: string) => void }): Promise<Json>
}

/** What is paid for, and who pays. */
export type PaidThing = Omit<ReserveRequest, 'needsBudget'>

/** Money, as a run asks for it. */
export interface Purse {
  /** Whether anything limits what these spend, so that it has to be asked for even when nobody knows the price. Costs no query. */
  limits(of: { readonly namespace: string; readonly agent: string | null; readonly blueprint: string }): boolean
  /** Keeps the money. Asked again under the same id, nothing is kept twice. */
  reserve(thing: PaidThing): Promise<Reservation>
  /** Charges what it came to, and frees the rest; never rejects. What is not settled here is settled later. */
  settle(id: string, outcome: Outcome): Promise<void>
}

/** Error of a step, as data. */
export interface StepError {
  readonly code: string
  readonly category:
    | 'validation'
    | 'tool'
    | 'agent'
    | 'gate'
    | 'policy'
    | 'timeout'
    | 'cancelled'
    | 'budget'
    | 'internal'
  readonly message: string
  readonly retryable: boolean
  readonly cause?: StepError
  readonly details?: JsonObject
}

/** A blueprint as it was accepted last; what new runs of it are pinned to. */
export interface AcceptedBlueprint {
  readonly uid: string
  readonly namespace: string
  /** Empty for a plan that its run brought along. */
  readonly name: string
  readonly plan: CompiledPlan
  /** Of the plan. */
  readonly digest: string
  /** The commit. */
  readonly revision: string
  /** Events start no run of it; a person still can. */
  readonly suspended: boolean
}

/** The accepted blueprints, as they are at this moment. */
export interface Blueprints {
  all(): readonly AcceptedBlueprint[]
  find(namespace: string, name: string): AcceptedBlueprint | null
}

/** Whoever serves tasks. The rows are written by the journal; this only says that it is worth looking. */
export interface TaskDispatch {
  /** Whether there is such an agent that may take tasks. */
  canServe(namespace: string, agent: string): boolean
  /** Why no host may have a bulk task of an agent, for people; null when one may, or has it already. Never rejects. */
  bulkObstacle(task: {
    readonly namespace: string
    readonly agent: string
    readonly taskId: string
  }): Promise<string | null>
  /** A task of that agent is durable. */
  enqueued(namespace: string, agent: string): void
  /** The task of that step is not wanted any more; its row says so. */
  cancelled(stepId: string): void
}

/** What expressions know of the environment of a namespace (decided by its Environment, else by the defaults). */
export type EnvironmentOf = (namespace: string) => EnvValue

/** A value that is too large for an event. */
export interface LargeValue {
  /** The artifact that is to hold it. */
  readonly artifactId: string
  readonly name: string
  /** Canonical JSON, and its sha256. */
  readonly text: string
  readonly digest: string
  readonly runId: string
  /** Its step; null = of the run. */
  readonly stepId: string | null
  readonly path: string | null
  /** When it came to be. */
  readonly at: Date
  readonly correlationId: string
}

/** Keeps large values as artifacts, so that the events that name them are enough to build a run again. */
export interface ValueStore {
  /** Durable when it resolves; again with the same id: nothing. SW_ARTIFACTS_FULL, SW_ARTIFACT_TOO_LARGE: a limit. */
  keep(value: LargeValue): Promise<void>
  /** By its digest; null when it is not kept (any more). */
  read(digest: string): Promise<Json | null>
}

/** Where a run keeps what does not belong into the database. */
export interface RunFolders {
  /** The folder its tools read and write; made when it is not there, unless nobody uses it. */
  workspace(runId: string, isUsed: boolean): Promise<string>
  /** Adds a line to the run's log; never fails a step. */
  log(runId: string, line: RunLogLine): void
}

export interface RunLogLine {
  /** UTC, ISO 8601 with milliseconds. */
  readonly time: string
  readonly step: string
  readonly attempt: number
  readonly line: string
}

/** Who acts, and the id that ties together what follows. */
export interface Caller {
  /** `user:<name>`, `agent:<namespace>/<name>` … */
  readonly actor: string
  readonly correlationId: string
  /**
   * Id of what is asked for, where the request may come again though its first answer was lost (`Idempotency-Key`): whoever
   * finds it done under this id does not do it twice.
   */
  readonly operation?: string
}

/** What is known of an actor: the roles he has (with those they include) and his teams. */
export type StandingOf = (actor: string) => { readonly roles: readonly string[]; readonly teams: readonly string[] }

/** What a run asks the policies about. */
export interface PolicyQuestion {
  readonly point: 'run_admission' | 'step_start' | 'tool_call'
  readonly action: string
  /** Other names of the action. */
  readonly aliases: readonly string[]
  readonly resource: { readonly type: string; readonly name: string }
  readonly risk: 'low' | 'medium' | 'high'
  readonly data: JsonObject
}

export type PolicyAnswer =
  | { readonly kind: 'allow' /** Null = no policy is about it. */; readonly by: string | null }
  | PolicyDenial
  | PolicyApproval

export interface PolicyDenial {
  readonly kind: 'deny'
  readonly action: string
  /** `policy default/production (version 3), rule needs-owner`. */
  readonly by: string
  readonly reason: string
  /** `{policy, version, rule, decision_id}`. */
  readonly details: JsonObject
}

/** Policies ask people first. */
export interface PolicyApproval {
  readonly kind: 'approval'
  readonly by: string
  readonly reason: string
  /** What is asked about, for people. */
  readonly question: string
  /** All of them are needed. */
  readonly approvals: readonly ApprovalRequirement[]
}

/** The policies as runs see them: asked in memory, recorded with what they decide about. */
export interface RunPolicies {
  /** False = nothing need be asked. */
  asks(namespace: string): boolean
  /** `record`: to become durable with the move; null = no policy is about it. */
  ask(
    run: Pick<RunRow, 'run_id' | 'namespace' | 'actor' | 'correlation_id'>,
    question: PolicyQuestion,
    stepId: string | null,
    at: Date,
  ): { readonly answer: PolicyAnswer; readonly record: PolicyRecord | null }
  /** Whether approvals that were given meet what is asked for. */
  meets(approval: ApprovalRequirement, namespace: string, approvers: readonly string[]): boolean
  /** The gate that autonomy adds before a call; null = none. `always`: also where a gate of the plan stands above it. */
  autonomy(
    run: Pick<RunRow, 'namespace' | 'actor'>,
    call: AutonomyCall,
  ): { readonly approval: PolicyApproval; readonly always: boolean } | null
}

/** A call of a tool as autonomy looks at it. */
export interface AutonomyCall {
  readonly tool: ToolInfo
  /** The name it is called by. */
  readonly name: string
  /** Agents whose work it goes on from. */
  readonly agents: () => readonly string[]
}

/** What is kept of a decision, and what the log tells of it: nothing of a plain allow. */
export interface PolicyRecord {
  readonly row: DecisionRow
  readonly event: NewEvent | null
}

/** Where there are no policies. */
export const NO_POLICIES: RunPolicies = {
  asks: () => false,
  ask: () => ({ answer: { kind: 'allow', by: null }, record: null }),
  meets: () => true,
  autonomy: () => null,
}
