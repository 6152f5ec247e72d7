import type { PolicyRequest } from './request.ts'
import type { CompiledRule } from './rule.ts'
import { type ApprovalRequirement, type DecisionEffect, type Requirements, WEIGHT } from './verdict.ts'

/** What rules of one policy come to. */
export interface Outcome {
  readonly effect: DecisionEffect
  readonly rule: string
  readonly reason: string
  readonly requirements: Requirements
}

/** Rules of one policy about the action that is asked, in the order they are read. Null = none of them fits. */
export type Mode = (rules: readonly CompiledRule[], request: PolicyRequest) => Outcome | null

/** What a rule that fits decides by itself. `broken`: its expression could not be evaluated. */
function outcomeOf(rule: CompiledRule, request: PolicyRequest, broken: string | null): Outcome {
  const requirements = requirementsOf([rule], rule.effect)
  if (broken !== null)
    return { effect: 'deny', rule: rule.id, reason: broken, requirements: withoutApprovals(requirements) }
  return settled(rule.effect, rule.id, requirements, [rule], request)
}

/** The first rule that fits decides, whatever follows. */
export const firstMatch: Mode = (rules, request) => {
  for (const rule of rules) {
    const fit = rule.fits(request)
    if (fit !== false) return outcomeOf(rule, request, fit === true ? null : fit)
  }
  return null
}

/** Every rule is asked; a deny wins, else an approval that is asked for, else an allow. Among equals the first decides. */
export const denyOverrides: Mode = (rules, request) => {
  let strongest: Outcome | null = null
  for (const rule of rules) {
    const fit = rule.fits(request)
    if (fit === false) continue
    // Nothing it could come to would be stronger.
    if (fit === true && strongest !== null && isPlain(rule) && WEIGHT[rule.effect] <= WEIGHT[strongest.effect]) continue
    const outcome = outcomeOf(rule, request, fit === true ? null : fit)
    if (outcome.effect === 'deny') return outcome
    if (strongest === null || WEIGHT[outcome.effect] > WEIGHT[strongest.effect]) strongest = outcome
  }
  return strongest
}

/** Whether what it requires cannot make a deny of it. */
function isPlain({ testsRequired, timeWindow }: CompiledRule): boolean {
  return !testsRequired && timeWindow === null
}

/**
 * Every rule is asked and what they require is put together: the highest number of approvals, of anybody one of them
 * names, and tests if one wants them. Then it is decided: a deny wins, else an approval that is asked for, else an allow.
 */
export const collectRequirements: Mode = (rules, request) => {
  const fitting: CompiledRule[] = []
  for (const rule of rules) {
    const fit = rule.fits(request)
    if (typeof fit === 'string') return outcomeOf(rule, request, fit)
    if (fit) fitting.push(rule)
  }
  if (fitting.length === 0) return null
  const strongest = fitting.reduce((a, b) => (WEIGHT[b.effect] > WEIGHT[a.effect] ? b : a))
  return settled(strongest.effect, strongest.id, requirementsOf(fitting, strongest.effect), fitting, request)
}

/** What requirements that are not met make of an effect. */
function settled(
  effect: DecisionEffect,
  rule: string,
  requirements: Requirements,
  rules: readonly CompiledRule[],
  request: PolicyRequest,
): Outcome {
  if (effect === 'deny')
    return { effect, rule, reason: 'the rule denies it', requirements: withoutApprovals(requirements) }
  const denied = (by: CompiledRule, reason: string): Outcome => ({
    effect: 'deny',
    rule: by.id,
    reason,
    requirements: withoutApprovals(requirements),
  })
  for (const each of rules) {
    if (each.testsRequired && request.data['tests_passed'] !== true)
      return denied(each, 'the rule requires tests, and none are known to have passed')
    const window = each.timeWindow
    if (window !== null && !window.contains(request.at))
      return denied(each, `it is allowed in the minutes of ${window.schedule} (${window.timeZone}) only`)
  }
  const reason = effect === 'allow' ? 'the rule allows it' : approvalText(requirements.approvals)
  return { effect, rule, reason, requirements }
}

function approvalText(approvals: readonly ApprovalRequirement[]): string {
  return approvals
    .map(({ min, fromAnyOf }) => {
      const whose = fromAnyOf.length === 0 ? '' : ` of ${fromAnyOf.join(' or ')}`
      return `needs ${min === 1 ? 'an approval' : `${min} approvals`}${whose}`
    })
    .join(' and ')
}

/** Of rules that fit. A rule that leaves out whose approvals count adds nobody to those that others name. */
function requirementsOf(rules: readonly CompiledRule[], effect: DecisionEffect): Requirements {
  const asked = effect === 'require_approval' ? rules.flatMap(({ approvals }) => approvals ?? []) : []
  const min = Math.max(0, ...asked.map((each) => each.min))
  const fromAnyOf = [...new Set(asked.flatMap((each) => each.fromAnyOf))].sort()
  const window = rules.find(({ timeWindow }) => timeWindow !== null)?.timeWindow ?? null
  return {
    approvals: asked.length === 0 ? [] : [{ min, fromAnyOf }],
    testsRequired: rules.some(({ testsRequired }) => testsRequired),
    timeWindow: window === null ? null : { schedule: window.schedule, timeZone: window.timeZone },
  }
}

function withoutApprovals(requirements: Requirements): Requirements {
  return requirements.approvals.length === 0 ? requirements : { ...requirements, approvals: [] }
}
