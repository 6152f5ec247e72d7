import type { CompiledTimeWindow } from './time-window.ts'

export const DECISION_EFFECTS = ['allow', 'deny', 'require_approval'] as const
export type DecisionEffect = (typeof DECISION_EFFECTS)[number]

/** As many approvals of these; of anybody who may approve when `fromAnyOf` is empty. */
export interface ApprovalRequirement {
  readonly min: number
  readonly fromAnyOf: readonly string[]
}

/** A policy version, as records name it. */
export interface PolicyRef {
  readonly namespace: string
  readonly name: string
  readonly version: number
  /** Of the object; left out where only documents are known. */
  readonly uid?: string
}

export interface Requirements {
  /** All of them have to be met; one a policy that asks. Empty unless the effect is `require_approval`. */
  readonly approvals: readonly ApprovalRequirement[]
  /** Asked for by a rule that fits; where they are not green, the effect is `deny`. */
  readonly testsRequired: boolean
  /** Asked for by a rule that fits; outside of it, the effect is `deny`. */
  readonly timeWindow: Pick<CompiledTimeWindow, 'schedule' | 'timeZone'> | null
}

/** What one policy says. */
export interface Opinion {
  readonly effect: DecisionEffect
  readonly policy: PolicyRef
  /** The rule that decided. */
  readonly rule: string
  /** For people. */
  readonly reason: string
  readonly requirements: Requirements
  /** The rule lets proposals of what it allows land by themselves. */
  readonly autoMerge?: true
}

/** What the policies together say. */
export interface Verdict {
  readonly effect: DecisionEffect
  /** The one that decided; null = none is about it, so it is allowed. */
  readonly policy: PolicyRef | null
  readonly rule: string | null
  readonly reason: string
  readonly requirements: Requirements
  /** What each policy said that is about it, in the order of their names. */
  readonly opinions: readonly Opinion[]
  /** What those said that only record what they would decide. */
  readonly advisory: readonly Opinion[]
}

const NO_REQUIREMENTS: Requirements = Object.freeze({
  approvals: Object.freeze([]) as readonly ApprovalRequirement[],
  testsRequired: false,
  timeWindow: null,
})

/** No policy is about it. */
export const ALLOWED: Verdict = Object.freeze({
  effect: 'allow',
  policy: null,
  rule: null,
  reason: 'no policy is about it',
  requirements: NO_REQUIREMENTS,
  opinions: Object.freeze([]) as readonly Opinion[],
  advisory: Object.freeze([]) as readonly Opinion[],
})

/** What weighs more wins: a deny over an approval, an approval over an allow. */
export const WEIGHT: Readonly<Record<DecisionEffect, number>> = { allow: 0, require_approval: 1, deny: 2 }
