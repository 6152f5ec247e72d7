import type { Json, JsonObject } from '../../lib/json.ts'
import type { AgentIdentity } from '../auth/principal.ts'
import type { Caller } from '../caller.ts'
import type { Proposal } from './proposals.ts'

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
  readonly data_access: 'bus' | 'bulk'
  /** What it works towards for now, over what the prompt says; null = nothing else. */
  readonly goal: string | null
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
      /** What the attempt used; counted once. Null = it does not say. */
      readonly usage: { readonly tokens: number; readonly costNanoUsd: number } | null
    },
  ): Promise<{ readonly task_id: string; readonly status: string }>
}
