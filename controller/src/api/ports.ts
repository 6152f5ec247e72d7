import type { DeliveryPage } from '../bus/deliver.ts'
import type { Addressee, PendingFor } from '../bus/ports.ts'
import type { SendRequest } from '../bus/send-message.ts'
import type { DeclaredEventTypes } from '../events/declared-types.ts'
import type { ObjectRef, ObjectView } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Counts } from '../plan/change-set.ts'
import type { SimulateRequest, simulatePlan } from '../runs/simulate/simulate-plan.ts'
import type { StartOperationRequest } from '../runs/start/start-operation.ts'
import type { Tx } from '../store/database.ts'
import type { ArtifactRow } from '../store/queries/artifacts.ts'
import type { DeliveredMessage, Mailbox } from '../store/queries/deliveries.ts'
import type { Impression } from '../store/queries/impressions.ts'
import type { InterventionAction, InterventionRow } from '../store/queries/interventions.ts'
import type { MessageRow } from '../store/queries/messages.ts'
import type { SpawnedAgentRow } from '../store/queries/spawned-agents.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import type { Capability } from '../tools/ports.ts'
import type { WorkDeps } from '../work/ports.ts'
import type { AgentIdentity } from './auth/principal.ts'
import type { Caller } from './caller.ts'
import type { HostService } from './host-ports.ts'

export type { Caller } from './caller.ts'

/**
 * What the API needs of the parts behind it. Reads of rows it does itself; everything that decides or writes goes through
 * here, so that the CLI, `/kube` and later surfaces act through the same services. Every service throws errors of the
 * catalogue. `build` fills it.
 */
export interface ApiServices {
  readonly runs: RunVerbs
  readonly gates: GateVerbs
  readonly agents: AgentProtocol
  readonly agentReaders: AgentReaders
  readonly spawning: SpawnVerbs
  readonly tasks: TaskVerbs
  readonly hosts: HostService
  readonly objects: ObjectVerbs
  readonly interventions: InterventionVerbs & InterventionAnswers
  readonly sources: SourceVerbs
  readonly proposals: ProposalVerbs
  readonly logs: LogReaders
  readonly artifacts: Artifacts
  readonly impressions: Impressions
  readonly views: ObjectViews
  readonly work: WorkSurroundings
  readonly webhooks: WebhookReceiver
  readonly eventTypes: DeclaredEventTypes
  readonly messages: MessageVerbs
}

export interface RunVerbs {
  /**
   * Starts a run of a blueprint and resolves when it is durable. `name` null = a name is made.
   * SW_NOT_FOUND: no such blueprint. SW_VALIDATION_FAILED: inputs. SW_CONFLICT: the name is taken by another run.
   * SW_NO_CAPACITY, SW_QUOTA_EXCEEDED: the blueprint takes no more; `details.retry_after_seconds` says when it may.
   */
  create(
    request: {
      readonly namespace: string
      readonly blueprint: string
      readonly name: string | null
      readonly inputs: JsonObject
      readonly priority: number
    },
    caller: Caller,
  ): Promise<{ readonly runId: string }>
  /**
   * Starts a run that brings its own plan: steps as in a blueprint, or `{skill, params}`. SW_INLINE_PLANS_DENIED,
   * SW_VALIDATION_FAILED, SW_OVER_BUDGET, SW_CONFLICT, SW_NOT_READY.
   */
  createInline(
    request: {
      readonly namespace: string
      readonly name: string | null
      readonly plan: readonly unknown[]
      readonly inputs: JsonObject
      readonly priority: number
      readonly budgetCents: number | null
    },
    caller: Caller,
  ): Promise<{ readonly runId: string }>
  /** What a plan would cost, what is wrong with it and what could go wrong; nothing of it is run. SW_NOT_FOUND: the blueprint. */
  simulate(request: SimulateRequest): Promise<ReturnType<typeof simulatePlan>>
  /** SW_NOT_FOUND, SW_CONFLICT when it is suspended or the name is taken, SW_VALIDATION_FAILED: the inputs. */
  runOperation(request: StartOperationRequest, caller: Caller): Promise<{ readonly runId: string }>
  /**
   * Starts a run of what a dead letter asked for. SW_NOT_FOUND, SW_CONFLICT when it was requeued before,
   * SW_VALIDATION_FAILED when it would be refused again.
   */
  requeue(deadLetterId: string, caller: Caller): Promise<{ readonly runId: string }>
  /** SW_CONFLICT when the run has ended otherwise; cancelling a cancelled run is no error. */
  cancel(request: { readonly runId: string; readonly reason: string | null }, caller: Caller): Promise<void>
  /** SW_CONFLICT when it has not ended, went on or was undone; SW_VALIDATION_FAILED when `from` is no step of it. */
  retry(
    request: { readonly runId: string; readonly from: string | null },
    caller: Caller,
  ): Promise<{ readonly runId: string }>
  /** SW_CONFLICT when it has not ended, went on as another run, or nothing of it is left to undo. */
  rollback(request: { readonly runId: string }, caller: Caller): Promise<{ readonly runId: string }>
  /**
   * Builds the rows of a run from its events and compares; with `write` they become what the events say.
   * SW_NOT_FOUND: the log does not hold its beginning. SW_CONFLICT: it has not ended.
   */
  replay(
    request: { readonly runId: string; readonly write: boolean },
    caller: Caller,
  ): Promise<{
    readonly runId: string
    readonly name: string
    readonly events: number
    readonly steps: number
    readonly differences: readonly {
      readonly row: string
      readonly column: string | null
      readonly stored: Json
      readonly rebuilt: Json
    }[]
    readonly written: boolean
  }>
}

export interface WebhookReceiver {
  /**
   * Makes a delivery an event when its signature is right; `seq` null = it had come before, and this is the first answer.
   * SW_NOT_FOUND, SW_UNAUTHENTICATED, SW_NOT_READY (its key cannot be read), and what `content` throws.
   */
  receive(delivery: {
    readonly namespace: string
    readonly name: string
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
    /** As it came: what was signed. */
    readonly body: Buffer
    /** Reads the body; called when the signature is right. */
    readonly content: () => Json
    readonly correlationId: string
  }): Promise<{ readonly eventId: string; readonly eventName: string; readonly seq: number | null }>
}

export interface GateVerbs {
  /**
   * SW_CONFLICT when the gate was decided before; SW_FORBIDDEN when this actor may not decide it; SW_GATE_INPUT when the
   * answer does not fit what the gate asks for.
   */
  decide(
    request: {
      readonly stepId: string
      readonly decision: 'approve' | 'reject'
      readonly reason: string | null
      readonly input: Json | undefined
    },
    caller: Caller,
  ): Promise<void>
}

/** Messages between agents and people; what each throws stands with the functions of `bus`. */
export interface MessageVerbs {
  /** An agent by its name, `agentId` or uid; null = there is none. */
  find(namespace: string, reference: string): Addressee | null
  send(
    request: SendRequest,
    caller: Caller & { readonly agent: Addressee | null },
  ): Promise<{ readonly message: MessageRow; readonly isNew: boolean }>
  /** What an agent has not acknowledged, after what was handed out in vain is given up. */
  deliver(mailbox: Mailbox, page: DeliveryPage): Promise<readonly DeliveredMessage[]>
  acknowledge(
    messageId: string,
    mailbox: Mailbox,
    caller: Caller,
  ): Promise<{ readonly message: MessageRow; readonly ackedAt: Date }>
  redeliver(
    messageId: string,
    agent: string | null,
    caller: Caller,
  ): Promise<{ readonly message: MessageRow; readonly agents: readonly string[] }>
  /** What comes before messages: interventions. */
  readonly pendingFor: PendingFor
}

export interface SpawnRequest {
  readonly namespace: string
  /** What it is an instance of. */
  readonly of: { readonly kind: 'AgentTemplate' | 'Agent'; readonly name: string }
  readonly lifetime: 'longLived' | 'ephemeral'
  /** null = wherever there is room. */
  readonly host: string | null
  readonly parent: string | null
  readonly budgetNanoUsd: number | null
  /** UTC, ISO 8601. */
  readonly deadline: string | null
  readonly reason: string | null
  readonly task: {
    readonly prompt: string
    readonly inputs: JsonObject
    readonly outputSchema: JsonObject | null
  } | null
}

/** Agents that are spawned while the fleet runs. */
export interface SpawnVerbs {
  /**
   * SW_VALIDATION_FAILED: its terms. SW_NOT_FOUND: template, parent or host. SW_HOST_FULL: no host has room.
   * SW_FORBIDDEN: an agent (`self`) spawns ephemeral agents that are its own, and not deeper than lineages may be.
   */
  spawn(request: SpawnRequest, self: string | null, caller: Caller): Promise<SpawnedAgentRow>
  /** Ending what has ended is no error. SW_NOT_FOUND; SW_FORBIDDEN when it is not this agent's (`self`). */
  end(uid: string, self: string | null, caller: Caller): Promise<SpawnedAgentRow>
}

/** How agents stand: what was accepted, and what their instances report. */
export interface AgentReaders {
  /** By namespace and name. */
  page(page: {
    readonly namespace: string | null
    readonly after: { readonly namespace: string; readonly name: string } | null
    readonly limit: number
  }): Promise<readonly AgentStanding[]>
  find(uid: string): Promise<AgentStanding | null>
  /** How many agents stand how; every word is there. */
  countByHealth(): Promise<Readonly<Record<string, number>>>
}

export interface AgentStanding {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** The effective one. */
  readonly spec: JsonObject
  readonly createdAt: Date
  readonly mode: 'daemon' | 'perTask' | 'external'
  readonly replicas: number
  readonly suspended: boolean
  readonly deleting: boolean
  readonly ready: boolean
  readonly message: string
  readonly health: string
  readonly instances: readonly InstanceStanding[]
}

export interface InstanceStanding {
  readonly id: string
  readonly ordinal: number
  readonly host: string
  readonly mode: 'daemon' | 'perTask'
  readonly health: 'starting' | 'healthy' | 'late' | 'silent' | 'draining'
  readonly busy: boolean
  readonly startedAt: Date
  readonly lastHeartbeatAt: Date | null
  readonly restarts: number
  readonly currentTask: string | null
  readonly slots: number
  readonly tokens: number
  readonly costNanoUsd: number
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
}

/** Who does something with a task: of an agent, with the instance that speaks. */
export interface TaskCaller {
  readonly actor: string
  readonly correlationId: string
  readonly instanceId: string | null
}

/** What a verb did with a task. Hand it to `announce` once the transaction is committed. */
export interface TaskChanged {
  readonly task: TaskRow
  readonly lastSeq: number
  readonly queue: { readonly namespace: string; readonly agent: string } | null
}

/** Everything but `announce` works in the transaction it is given. */
export interface TaskVerbs {
  /** SW_NOT_FOUND: no such agent or parent. SW_CONFLICT: the parent has ended. SW_FORBIDDEN: it is not the agent's own. */
  create(
    tx: Tx,
    request: {
      readonly namespace: string
      readonly agent: string
      readonly prompt: string
      readonly inputs: JsonObject
      readonly outputSchema: JsonObject | null
      readonly deadline: Date | null
      readonly parentTaskId: string | null
      readonly maxAttempts: number
      readonly retryDelayMs: number
      readonly keepWorkspace: boolean
    },
    caller: TaskCaller,
  ): Promise<TaskChanged>
  /** SW_NOT_FOUND, SW_CONFLICT: it ended otherwise, or belongs to a run. */
  cancel(tx: Tx, taskId: string, caller: TaskCaller): Promise<TaskChanged>
  /** SW_NOT_FOUND, SW_CONFLICT: it is open or completed, or belongs to a run. */
  retry(
    tx: Tx,
    request: { readonly taskId: string; readonly agent: string | null; readonly deadline: Date | null },
    caller: TaskCaller,
  ): Promise<TaskChanged>
  /** SW_NOT_FOUND, SW_CONFLICT: it has ended, or belongs to a run. */
  assign(tx: Tx, request: { readonly taskId: string; readonly agent: string }, caller: TaskCaller): Promise<TaskChanged>
  announce(changed: TaskChanged): void
}

/** A task as an agent gets it. */
export interface TaskView {
  readonly task_id: string
  readonly attempt: number
  readonly run_id: string | null
  readonly step_id: string | null
  readonly prompt: string
  readonly inputs: JsonObject
  readonly output_schema: JsonObject | null
  readonly workspace: string
  readonly deadline: string | null
  readonly correlation_id: string
  /** Globs of the tools it may use; null = not limited. */
  readonly tools: readonly string[] | null
}

export interface BindRequest {
  readonly namespace: string
  readonly agent: string
  /** What it was before, where it starts again. */
  readonly instanceId: string | null
  /** Where it runs, as it says. */
  readonly host: string | null
  /** What a proposal says of it. */
  readonly spec: JsonObject
}

export interface BoundAgent {
  readonly agent_id: string
  readonly instance_id: string
  readonly token: string
  readonly heartbeat_seconds: number
  readonly spec: JsonObject
  readonly isNew: boolean
}

/** The daemon protocol, version 1. The instance is proven by its token before any of these is called. */
export interface AgentProtocol {
  /** The live instance a token belongs to, or null. */
  authenticate(token: string): Promise<AgentIdentity | null>
  register(
    agent: AgentIdentity,
  ): Promise<{ readonly agent_id: string; readonly heartbeat_seconds: number; readonly spec: JsonObject }>
  /**
   * Binds a process that nobody here started to a declared agent with `runtime: external`; of an agent that is not declared,
   * where its environment allows that, it proposes one. SW_NOT_FOUND, SW_CONFLICT: it is not external, all its places are
   * taken, or the instance has ended.
   */
  bind(request: BindRequest, caller: Caller): Promise<BoundAgent | { readonly proposal: Proposal }>
  /** The process ends: its tasks go to others. SW_CONFLICT when its host watches it. */
  unbind(agent: AgentIdentity): Promise<void>
  /** Renews the lease of the tasks it names. */
  heartbeat(
    agent: AgentIdentity,
    report: {
      readonly status: 'idle' | 'busy'
      readonly tasks: readonly string[]
      /** Since the instance was started. */
      readonly usage: { readonly tokens: number; readonly costNanoUsd: number }
      readonly cpuPercent: number | null
      readonly memoryBytes: number | null
    },
  ): Promise<{ readonly interventions: readonly JsonObject[]; readonly drain: boolean }>
  /** Waits up to `waitMs` for a task, or until `signal` is aborted. */
  pickup(
    agent: AgentIdentity,
    request: { readonly max: number; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<{ readonly interventions: readonly JsonObject[]; readonly tasks: readonly TaskView[] }>
  /** Counts once: the same result again is answered as the first time. SW_CONFLICT when lease or attempt moved on. */
  complete(
    agent: AgentIdentity,
    result: {
      readonly taskId: string
      readonly attempt: number
      readonly status: 'completed' | 'failed'
      readonly output: Json
      readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null
      /** What the attempt used; counted once. */
      readonly usage: { readonly tokens: number; readonly costNanoUsd: number }
    },
  ): Promise<{ readonly task_id: string; readonly status: string }>
}

export interface InterventionVerbs {
  /**
   * Pauses, resumes, terminates, redirects or constrains an agent; it counts when this resolves, in every process. SW_NOT_FOUND:
   * no such agent. SW_CONFLICT: nothing to resume, or the tasks cannot go there.
   */
  intervene(
    agent: { readonly namespace: string; readonly name: string },
    request: {
      readonly action: InterventionAction
      /** Of redirect {to}, of constrain {constraints}. */
      readonly params: JsonObject
      readonly reason: string
      readonly expiresAt: Date | null
      readonly merge: boolean
    },
    caller: Caller,
  ): Promise<{ readonly interventionId: string }>
}

export interface InterventionAnswers {
  /** What an instance says of an intervention on its agent. SW_NOT_FOUND, SW_CONFLICT when it is over or was answered otherwise. */
  answer(
    agent: AgentIdentity,
    answer: {
      readonly interventionId: string
      readonly state: 'acknowledged' | 'applied' | 'rejected'
      readonly detail: string | null
    },
  ): Promise<InterventionRow>
}

/** What a suspend or resume left behind. */
export interface OverrideResult {
  /** Branch that carries the same change as a commit; null when no commit was needed. */
  readonly branch: string | null
  readonly commit: string | null
  /** The commit is already on the protected ref. */
  readonly merged: boolean
}

export interface ObjectVerbs {
  /** Queues an object (`null` = the sources) for a reconcile now. */
  reconcile(ref: ObjectRef | null, caller: Caller): Promise<{ readonly requestedAt: string }>
  suspend(
    ref: ObjectRef,
    options: { readonly reason: string | null; readonly expiresAt: Date | null; readonly merge: boolean },
    caller: Caller,
  ): Promise<OverrideResult>
  resume(ref: ObjectRef, options: { readonly merge: boolean }, caller: Caller): Promise<OverrideResult>
}

/** A change of the state repo as a commit. */
export interface Proposal {
  /** Null = the commit is on the protected branch already. */
  readonly branch: string | null
  readonly commit: string
  readonly merged: boolean
  /** The same was proposed before, and is still open. */
  readonly reused: boolean
}

/** Changes of declared objects as commits that somebody merges, or (`merge`) that stand on the protected branch at once. */
export interface ProposalVerbs {
  /** Sets one field of an object's document. SW_NOT_FOUND; SW_CONFLICT when Git says so already or the file cannot be edited. */
  set(
    ref: ObjectRef,
    field: { readonly keys: readonly string[]; readonly value: string | number | boolean },
    options: { readonly reason: string | null; readonly merge: boolean },
    caller: Caller,
  ): Promise<Proposal>
  /**
   * Declares an object in `<folder>/<name>.yaml`; of another namespace than the default one `<folder>/<namespace>.<name>.yaml`.
   * SW_VALIDATION_FAILED: its metadata or spec, as written or with what it inherits. SW_CONFLICT: there is one already.
   */
  create(
    object: ObjectRef & {
      readonly spec: JsonObject
      readonly labels?: Readonly<Record<string, string>>
      readonly annotations?: Readonly<Record<string, string>>
    },
    options: { readonly folder: string; readonly reason: string | null; readonly merge: boolean },
    caller: Caller,
  ): Promise<Proposal>
  /**
   * `patch` is a JSON merge patch of the document: `{metadata?: {labels?, annotations?}, spec?}`. SW_NOT_FOUND,
   * SW_VALIDATION_FAILED: what it would be, SW_CONFLICT when it changes nothing or the file cannot be edited.
   */
  update(
    ref: ObjectRef,
    patch: JsonObject,
    options: { readonly reason: string | null; readonly merge: boolean },
    caller: Caller,
  ): Promise<Proposal>
  /** Takes the document out of its file. SW_NOT_FOUND, SW_CONFLICT when the file cannot be edited. */
  remove(
    ref: ObjectRef,
    options: { readonly reason: string | null; readonly merge: boolean },
    caller: Caller,
  ): Promise<Proposal>
}

/** How a source stands when a pass changed nothing: what is unchanged, blocked or skipped, and the problems that remain. */
export interface Standing {
  readonly counts: Counts
  readonly issues: readonly Issue[]
}

export interface SourceVerbs {
  /**
   * Reads a source now and resolves when its head was accepted, planned or refused: the id of the row in its history, or
   * null when nothing had changed.
   */
  sync(
    source: string,
    options: { readonly signal: AbortSignal },
    caller: Caller,
  ): Promise<{ readonly revision: string; readonly syncId: string | null; readonly standing: Standing }>
  /** Lets exactly the deletions through that the blast-radius limit holds back at that revision. SW_NOT_FOUND when it holds none. */
  approveDeletions(
    source: string,
    revision: string,
    caller: Caller,
  ): Promise<{ readonly revision: string; readonly deletions: number }>
}

/**
 * Text that was written by processes and steps, as chunks. Each promise resolves once it is known that there is such a thing
 * (else SW_NOT_FOUND); with `follow` the iteration goes on until the thing has ended or `signal` is aborted.
 */
export interface LogReaders {
  run(runId: string, options: LogOptions): Promise<AsyncIterable<string>>
  task(taskId: string, options: LogOptions): Promise<AsyncIterable<string>>
  agent(ref: { readonly namespace: string; readonly name: string }, options: LogOptions): Promise<AsyncIterable<string>>
}

export interface Impressions {
  record(
    said: {
      readonly envId: string
      readonly runId: string | null
      readonly stepId: string | null
      readonly label: string
      readonly value: Json
      readonly basis: JsonObject
    },
    caller: Caller,
  ): Promise<Impression>
}

/** What is kept as files. Rows of artifacts are read without it. */
export interface Artifacts {
  /** SW_ARTIFACT_TOO_LARGE when more is announced than an artifact may have. */
  create(
    artifact: {
      readonly name: string
      readonly kind: string
      readonly contentType: string
      readonly byteLength: number | null
      readonly runId: string | null
      readonly stepId: string | null
      readonly metadata: JsonObject
    },
    caller: Caller,
  ): Promise<ArtifactRow>
  /**
   * Takes the bytes; the same again are no error. SW_NOT_FOUND, SW_CONFLICT (it has others), SW_ARTIFACT_TOO_LARGE,
   * SW_ARTIFACTS_FULL, SW_VALIDATION_FAILED (not as many as were announced).
   */
  store(artifactId: string, content: AsyncIterable<Uint8Array>, caller: Caller): Promise<ArtifactRow>
  /** SW_NOT_FOUND also while the bytes have not come. */
  read(artifactId: string): Promise<{ readonly row: ArtifactRow; readonly content: NodeJS.ReadableStream }>
}

export interface LogOptions {
  readonly follow: boolean
  readonly signal: AbortSignal
  /** Only the last lines; null = all. */
  readonly tailLines: number | null
}

export interface ObjectViews {
  /** Read-only objects of a kind that nobody declared: built-in tools, machines that joined. */
  builtin(kind: string): Promise<readonly ObjectView[]>
  /** Every tool that plans of a namespace may call. */
  capabilities(namespace: string): readonly Capability[]
  /** Pids, heartbeat times and counters that no status write carries, by uid, merged over the stored status. */
  liveStatus(kind: string, uids: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>>
}

/** What the work graph asks of what is declared. */
export type WorkSurroundings = Omit<WorkDeps, 'store'>

/** One thing that has to hold before this process may be sent traffic. */
export interface ReadinessCheck {
  readonly name: string
  /** A sentence for people when it does not hold, else null. Must answer soon. */
  readonly problem: () => Promise<string | null>
}
