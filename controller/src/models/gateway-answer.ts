import type { JsonObject } from '../lib/json.ts'
import type { ModelTurnRow } from '../store/queries/model-loops.ts'
import type { Answer } from './request.ts'
import type { FallbackCause } from './routing/candidates.ts'

export interface GatewayAnswer extends Answer {
  readonly callId: string
  readonly provider: string
  /** `scripted` = rules answered, no model: to be said wherever it is shown. */
  readonly providerType: string
  readonly class: 'local' | 'cloud'
  readonly modelAsked: string
  readonly costNanoUsd: bigint
  readonly latencyMs: number
  /** Those that were asked before it and did not answer. */
  readonly failures: readonly FailedBackend[]
  /** Of a question that was passed on word for word: the answer as it came; null = it was streamed. */
  readonly passed?: JsonObject | null
}

export interface FailedBackend {
  readonly provider: string
  readonly model: string
  readonly cause: FallbackCause | 'policy'
  readonly message: string
  /** What it answered, word for word, where it was asked word for word. */
  readonly reply: { readonly status: number; readonly body: string } | null
}

export interface InvokeOptions {
  readonly signal: AbortSignal
  readonly onText?: (delta: string) => void
  /** What was streamed so far counts for nothing: somebody else answers. */
  readonly onRestart?: (failed: FailedBackend) => void
  /** The turn of a loop that the answer is: written in the very transaction that records it. */
  readonly turnOf?: (answer: GatewayAnswer) => ModelTurnRow
  /** It waits: for its turn a minute, or for money. */
  readonly onWait?: (why: string, until: Date) => void
}
