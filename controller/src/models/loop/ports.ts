import type { Json, JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import type { Store } from '../../store/store.ts'
import type { Gateway } from '../gateway.ts'
import type { OfferedTool, Privacy } from '../request.ts'

/** What agents that are models need of the parts around them; `build` fills it. */

/** An agent that is a model, as it is to work now. */
export interface ModelAgent {
  readonly namespace: string
  readonly name: string
  /** Tasks it works on at once. */
  readonly replicas: number
  readonly suspended: boolean
  /** Its label `class`. */
  readonly agentClass: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly route: string | null
  /** Null = it stands in a file of the state repo, or there is none. */
  readonly systemPrompt: string | null
  readonly hasPromptFile: boolean
  readonly goal: string | null
  readonly outputSchema: JsonObject | null
  readonly maxTurns: number
  readonly maxTokens: number | null
  readonly maxTotalTokens: number | null
  readonly temperature: number | null
  readonly timeoutMs: number
  readonly maxNanoUsd: bigint | null
  readonly taskClass: string | null
  readonly privacy: Privacy
  /** Those it may call. */
  readonly tools: readonly OfferedTool[]
  readonly revision: string | null
}

export interface ToolCallRequest {
  /** A UUID that is the same whoever makes the call: what has a recorded end is not done again. */
  readonly id: string
  readonly tool: string
  readonly input: JsonObject
  readonly namespace: string
  readonly agent: string
  readonly run: { readonly id: string; readonly step: string; readonly attempt: number } | null
  readonly taskId: string
  readonly turn: number
  readonly callNo: number
  readonly correlationId: string
  readonly deadline: Date
}

export interface ToolCallEnd {
  /**
   * waiting: for an approval. unknown: a crash hides whether it took effect. undecided: and a person has to say. open: it has not
   * ended by the deadline.
   */
  readonly status: 'succeeded' | 'failed' | 'refused' | 'waiting' | 'unknown' | 'undecided' | 'open'
  readonly output: Json
  readonly error: { readonly code: string; readonly message: string } | null
}

export type TaskEnd =
  | { readonly status: 'completed'; readonly output: Json }
  | {
      readonly status: 'failed'
      readonly code: string
      readonly message: string
      /** Another attempt may help. */
      readonly retryable: boolean
    }

export interface LoopDeps {
  readonly store: Store
  readonly gateway: () => Gateway
  /** Null = no such agent is a model. */
  readonly agent: (namespace: string, name: string) => ModelAgent | null
  /** Whether there are any at all. */
  readonly hasAgents: () => boolean
  readonly callTool: (call: ToolCallRequest, signal: AbortSignal) => Promise<ToolCallEnd>
  /** Nothing is to be decided of these calls any more. */
  readonly leaveCalls: (tx: Tx, ids: readonly string[]) => Promise<void>
  /** How many of `max` more tasks it may have by its constraints. */
  readonly allowance: (tx: Tx, agent: ModelAgent, max: number, now: Date) => Promise<number>
  readonly leasedEvent: (task: TaskRow, at: Date) => NewEvent
  /** Ends the attempt, if it still is the current one, with `also` in the same transaction. */
  readonly endTask: (task: TaskRow, end: TaskEnd, also: (tx: Tx) => Promise<void>) => Promise<void>
  /** A line of the log of the task. */
  readonly log: (task: TaskRow, line: string) => void
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string
}
