import type { Purse } from '../../budgets/purse.ts'
import type { ReserveRequest } from '../../budgets/reserve.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ApprovalRequirement } from '../../policy/evaluate/verdict.ts'
import type { Store } from '../../store/store.ts'
import type { ToolInfo, ToolRunner } from '../ports.ts'

/** What calls of tools outside of steps need of the parts around them; `build` fills it. */
export interface ToolCallDeps {
  readonly store: Store
  /** With their breakers, limits and undo: the same that steps call. */
  readonly tools: ToolRunner
  readonly purse: Purse
  readonly policies: CallPolicies
  /** Null = there is no such agent. */
  readonly agent: (namespace: string, name: string) => AgentLimits | null
  /** The folder a call reads and writes; made when it is not there. */
  readonly workspace: (of: Pick<CallScope, 'namespace' | 'agent' | 'run'>) => Promise<string>
  readonly envId: (namespace: string) => string
  /** SW_FROZEN while the whole fleet is halted. */
  readonly assertGoing: () => void
}

/** What an agent may use. */
export interface AgentLimits {
  /** Each covers a permission of its name, and those below it: `fs` covers `fs.write`. */
  readonly capabilities: readonly string[]
  /** Globs of tools; null = not limited. */
  readonly tools: readonly string[] | null
}

export interface CallScope {
  readonly namespace: string
  /** `user:<name>`, `agent:<namespace>/<name>` … */
  readonly actor: string
  readonly roles?: readonly string[]
  /** The agent that calls, or on whose behalf it is called: its capabilities limit the call. Default: the actor, when that is one. */
  readonly agent: string | null
  /** The step of a run that the call is part of. */
  readonly run: { readonly id: string; readonly step: string; readonly attempt: number } | null
  readonly correlationId: string
}

export interface CallQuestion extends CallScope {
  readonly tool: ToolInfo
  /** The name it is called by. */
  readonly name: string
  readonly input: JsonObject
  /** People who approved what stands above the call. */
  readonly approvers: readonly string[]
  readonly callId: string
  readonly at: Date
}

export type CallAnswer =
  | { readonly kind: 'allow' }
  | { readonly kind: 'deny'; readonly error: Error }
  | {
      readonly kind: 'approval'
      readonly by: string
      readonly reason: string
      readonly approvals: readonly ApprovalRequirement[]
    }

/** Policies and autonomy, at the point `tool_call`. */
export interface CallPolicies {
  /** Recorded as it is answered. */
  ask(question: CallQuestion): Promise<CallAnswer>
  /** Whether what was given meets a requirement. */
  meets(approval: ApprovalRequirement, namespace: string, approvers: readonly string[]): boolean
}

export type PaidThing = ReserveRequest

/** A tool that somebody wants to be called. */
export interface ToolInvocation extends CallScope {
  /** A UUID. Asked again under it, nothing is done twice: the recorded end is answered. Default: a new one. */
  readonly id?: string
  /** Name or alias. */
  readonly tool: string
  readonly input: JsonObject
  readonly taskId?: string | null
  /** Of a model's loop. */
  readonly turn?: number | null
  readonly callNo?: number | null
  /** People who approved what stands above the call, a gate of the plan for example. */
  readonly approvers?: readonly string[]
  readonly deadline?: Date | null
}
