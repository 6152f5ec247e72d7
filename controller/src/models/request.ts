import type { Json, JsonObject } from '../lib/json.ts'
import type { WireQuestion } from './wire/question.ts'

/** What is asked of a model, and what came of it; the same for every provider. */

export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls: readonly ToolCallRequest[] }
  | { readonly role: 'tool'; readonly results: readonly ToolCallResult[] }

export interface ToolCallRequest {
  /** Of the call, as the model gave it. */
  readonly id: string
  readonly tool: string
  readonly input: JsonObject
}

export interface ToolCallResult {
  readonly id: string
  readonly tool: string
  readonly output: Json
  readonly isError: boolean
}

/** A tool as the model is told of it. */
export interface OfferedTool {
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
}

/** The conversation, and how it is to be answered. */
export interface Prompt {
  readonly system: string | null
  readonly messages: readonly Message[]
  readonly tools: readonly OfferedTool[]
  /** JSON Schema the answer has to fit. */
  readonly outputSchema: JsonObject | null
  /** Null = what the model says. */
  readonly maxTokens: number | null
  readonly temperature: number | null
}

export type Complexity = 'low' | 'medium' | 'high'
export type Privacy = 'any' | 'localOnly'

/** Who asks, and what for. */
export interface Asker {
  readonly namespace: string
  /** `agent:default/sre`, `user:ada` … */
  readonly actor: string
  readonly correlationId: string
  readonly agent: string | null
  readonly agentClass: string | null
  readonly run: { readonly id: string; readonly name: string } | null
  readonly blueprint: string | null
  /** Path of the step, and its id. */
  readonly step: string | null
  readonly stepId: string | null
  readonly taskId: string | null
  /** Which turn of its loop; from 1. */
  readonly turn: number | null
  readonly revision: string | null
}

export interface ModelRequest extends Prompt {
  readonly asker: Asker
  /** What blueprint, agent or caller say; the environment is asked first, the route last. */
  readonly route: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly taskClass: string | null
  /** Null = it is worked out of the text. */
  readonly complexity: Complexity | null
  readonly privacy: Privacy
  /** What the call may cost, in nano-USD; null = what budgets say. */
  readonly maxNanoUsd: bigint | null
  /** Place in the queue of a provider that is busy: the lowest first. */
  readonly urgency: number
  /** What is done when a budget that others share has nothing left. */
  readonly withoutMoney: 'fail' | 'wait'
  /** As a client of a provider put it: who speaks its format gets that in place of the prompt. */
  readonly wire?: WireQuestion
}

export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What one model answered. */
export interface Answer {
  readonly text: string
  readonly toolCalls: readonly ToolCallRequest[]
  readonly finishReason: string
  /** Null = the provider did not say. */
  readonly usage: Usage | null
  /** The model that says it answered; null = it does not say. */
  readonly modelAnswered: string | null
}
