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
}

export interface FailedBackend {
  readonly provider: string
  readonly model: string
  readonly cause: FallbackCause | 'policy'
  readonly message: string
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
