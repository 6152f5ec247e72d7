import type { PolicyRequest } from './request.ts'
import type { Verdict } from './verdict.ts'

/** What a decision belongs to, as its record has it. */
export interface DecisionAbout {
  readonly correlationId: string
  readonly runId?: string | null
  readonly stepId?: string | null
  /** Id of a proposal. */
  readonly proposal?: string | null
}

export interface Decision extends Verdict {
  /** Of its record; null when no policy is about it: then nothing is recorded. */
  readonly decisionId: string | null
}

/** The policies in force, asked in memory; what they decide is recorded. */
export interface PolicyEngine {
  /** False = no policy can be about what is in this namespace (null = in none), so that nothing need be asked. */
  asks(namespace: string | null): boolean
  /** Asks and records nothing: for what is only shown. */
  evaluate(request: PolicyRequest): Verdict
  /** Asks, and resolves when the record is durable. Does not throw for a deny. */
  decide(request: PolicyRequest, about: DecisionAbout): Promise<Decision>
}
