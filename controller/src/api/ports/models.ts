import type { Complexity, Privacy } from '../../models/request.ts'
import type { ModelCallRow } from '../../store/queries/model-calls.ts'
import type { Caller } from '../caller.ts'

/** A request as the API takes it. */
export interface ModelQuestion {
  readonly namespace: string
  readonly prompt: string
  readonly system: string | null
  readonly route: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly taskClass: string | null
  readonly complexity: Complexity | null
  readonly privacy: Privacy
  readonly maxTokens: number | null
}

export interface ProviderSummary {
  readonly name: string
  readonly type: string
  readonly class: 'local' | 'cloud'
  readonly priority: number
  readonly fallbackOnly: boolean
  readonly suspended: boolean
  readonly ready: boolean
  readonly message: string
  readonly breaker: string
  readonly calls: number
  readonly failures: number
  readonly loaded: readonly string[]
  readonly models: readonly {
    readonly name: string
    readonly layer: string | null
    readonly maxTokens: number | null
    readonly temperature: number | null
    readonly contextLength: number | null
    /** Nano-USD for a million tokens; null = nobody says. */
    readonly prices: { readonly input: bigint; readonly output: bigint } | null
  }[]
}

export interface RouteExplanation {
  readonly complexity: Complexity
  readonly route: string | null
  readonly rule: string | null
  readonly candidates: readonly {
    readonly provider: string
    readonly providerType: string
    readonly class: 'local' | 'cloud'
    readonly model: string
    readonly by: string
    readonly on: readonly string[] | null
    /** Nano-USD the call costs at most. */
    readonly atMost: bigint
  }[]
  readonly skipped: readonly { readonly provider: string; readonly model: string | null; readonly why: string }[]
}

/** Models, as the API has them. */
export interface ModelVerbs {
  providers(): Promise<readonly ProviderSummary[]>
  /** Asks nobody. */
  explain(question: ModelQuestion, caller: Caller): RouteExplanation
  /** Asks, and waits for the answer. What it throws is of the catalogue. */
  ask(question: ModelQuestion, caller: Caller): Promise<{ readonly text: string; readonly call: ModelCallRow }>
}
