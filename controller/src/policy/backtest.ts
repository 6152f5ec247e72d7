import type { CompiledPolicy } from './evaluate/compile.ts'
import { evaluate } from './evaluate/evaluate.ts'
import type { PolicyRequest } from './evaluate/request.ts'
import type { DecisionEffect } from './evaluate/verdict.ts'

/** A decision that was recorded: what was asked (null = it was too large to be kept), and what came out. */
export interface RecordedDecision {
  readonly decision_id: string
  readonly request: PolicyRequest | null
  readonly effect: DecisionEffect
}

export interface Flip {
  readonly decision_id: string
  readonly request: PolicyRequest
  readonly was: DecisionEffect
  readonly would: DecisionEffect
  readonly rule: string | null
  readonly reason: string
}

export interface Backtest {
  readonly decisions: number
  /** Of those, how many cannot be asked about again. */
  readonly unknown: number
  readonly was: Readonly<Record<DecisionEffect, number>>
  readonly would: Readonly<Record<DecisionEffect, number>>
  /** Those that would come out otherwise, the first ones. */
  readonly flips: readonly Flip[]
  readonly flipped: number
}

const MAX_FLIPS = 50

/** What these policies would have decided about what was asked in the past. What they only record counts as if enforced. */
export function backtest(policies: readonly CompiledPolicy[], recorded: Iterable<RecordedDecision>): Backtest {
  const enforced = policies.map((policy) => ({ ...policy, enforced: true }))
  const was = { allow: 0, deny: 0, require_approval: 0 }
  const would = { allow: 0, deny: 0, require_approval: 0 }
  const flips: Flip[] = []
  let decisions = 0
  let unknown = 0
  let flipped = 0
  for (const { decision_id, request, effect } of recorded) {
    decisions += 1
    if (request === null) {
      unknown += 1
      continue
    }
    const verdict = evaluate(enforced, request)
    was[effect] += 1
    would[verdict.effect] += 1
    if (verdict.effect === effect) continue
    flipped += 1
    const { rule, reason } = verdict
    if (flips.length < MAX_FLIPS) flips.push({ decision_id, request, was: effect, would: verdict.effect, rule, reason })
  }
  return { decisions, unknown, was, would, flips, flipped }
}
