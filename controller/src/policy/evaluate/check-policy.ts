import type { SpecProblem } from '../../kinds/definition.ts'
import type { PolicySpec } from '../../kinds/policy/policy.schema.ts'
import { checkPolicyExpression } from './expression.ts'
import type { RuleSpec } from './rule.ts'
import { timeWindowProblem } from './time-window.ts'

/** What is wrong with rules that fit their schema: what passes can be compiled. */
export function checkPolicy(spec: PolicySpec): SpecProblem[] {
  return spec.rules.flatMap((rule, i) => checkRule(rule, `/spec/rules/${i}`))
}

function checkRule({ effect, match, requirements }: RuleSpec, pointer: string): SpecProblem[] {
  const problems: SpecProblem[] = []
  if (match?.expression !== undefined) {
    const checked = checkPolicyExpression(match.expression)
    if (!checked.ok) problems.push({ ...checked.problem, pointer: `${pointer}/match/expression` })
  }
  const window = requirements?.timeWindow
  const wrong = window === undefined ? null : timeWindowProblem(window)
  if (wrong !== null)
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/requirements/timeWindow/${wrong.field}`,
      message: wrong.message,
      hint: wrong.field === 'schedule' ? 'write five fields, for example * 9-17 * * 1-5' : 'write an IANA time zone',
    })
  if (effect === 'deny' && requirements !== undefined)
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/requirements`,
      message: 'what is denied cannot be had by meeting requirements',
      hint: 'remove the requirements, or use the effect allow or require_approval',
    })
  return problems
}
