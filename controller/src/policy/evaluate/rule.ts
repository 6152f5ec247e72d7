import type { PolicySpec } from '../../kinds/policy/policy.schema.ts'
import { globMatches } from '../../lib/glob.ts'
import { compilePolicyExpression, type Fit } from './expression.ts'
import type { PolicyRequest } from './request.ts'
import { compileSubjects } from './subjects.ts'
import { type CompiledTimeWindow, compileTimeWindow } from './time-window.ts'
import type { ApprovalRequirement, DecisionEffect } from './verdict.ts'

export type RuleSpec = NonNullable<PolicySpec['rules']>[number]

/** A rule that can be asked at once. */
export interface CompiledRule {
  readonly id: string
  readonly priority: number
  /** An `allow` that asks for approvals is a `require_approval`. */
  readonly effect: DecisionEffect
  readonly approvals: ApprovalRequirement | null
  readonly testsRequired: boolean
  readonly timeWindow: CompiledTimeWindow | null
  /** The action it is about, when it is one; null = {@link fitsAction} has to be asked. */
  readonly action: string | null
  readonly fitsAction: (action: string) => boolean
  /** Everything but the action. A text = the expression could not be evaluated: the rule denies. */
  readonly fits: (request: PolicyRequest) => Fit
}

const DEFAULT_PRIORITY = 100

/** `namespace`: of the policy. Throws for a schedule or an expression that is none; the check of the document tells before. */
export function compileRule(rule: RuleSpec, namespace: string): CompiledRule {
  const { match = {}, requirements } = rule
  const approvals = requirements?.approvals === undefined ? null : approvalsOf(requirements.approvals)
  const asks = rule.effect === 'require_approval'
  return {
    id: rule.id,
    priority: rule.priority ?? DEFAULT_PRIORITY,
    effect: rule.effect === 'allow' && approvals !== null ? 'require_approval' : rule.effect,
    approvals: approvals ?? (asks ? { min: 1, fromAnyOf: [] } : null),
    testsRequired: requirements?.testsRequired ?? false,
    timeWindow: requirements?.timeWindow === undefined ? null : compileTimeWindow(requirements.timeWindow),
    ...compileAction(match.action),
    fits: compileFit(match, namespace),
  }
}

function approvalsOf(asked: NonNullable<NonNullable<RuleSpec['requirements']>['approvals']>): ApprovalRequirement {
  return { min: asked.min ?? 1, fromAnyOf: asked.fromAnyOf ?? [] }
}

function compileAction(action: string | undefined): Pick<CompiledRule, 'action' | 'fitsAction'> {
  if (action === undefined || action === '*') return { action: null, fitsAction: () => true }
  if (!action.includes('*')) return { action, fitsAction: (asked) => asked === action }
  return { action: null, fitsAction: (asked) => globMatches(action, asked) }
}

type Test = (request: PolicyRequest) => Fit

/** The cheap ones first; the expression last, and only when everything else fits. */
function compileFit(match: NonNullable<RuleSpec['match']>, namespace: string): Test {
  const { stage = 'any', resourceType, envId = 'any', risk = 'any', subjects, expression } = match
  const tests: Test[] = []
  if (stage !== 'any') tests.push(({ env }) => env.stage === stage)
  if (risk !== 'any') tests.push((request) => request.risk === risk)
  if (envId !== 'any') tests.push(({ env }) => env.id === envId)
  if (resourceType !== undefined && resourceType !== 'any') {
    const type = resourceType.toLowerCase()
    tests.push(({ resource }) => resource.type === type)
  }
  if (subjects !== undefined) {
    const isOne = compileSubjects(subjects, namespace)
    tests.push(({ subject }) => isOne(subject))
  }
  if (expression !== undefined) tests.push(compilePolicyExpression(expression))
  return (request) => {
    for (const test of tests) {
      const fit = test(request)
      if (fit !== true) return fit
    }
    return true
  }
}
