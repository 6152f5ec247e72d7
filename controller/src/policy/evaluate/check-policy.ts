import type { SpecProblem } from '../../kinds/definition.ts'
import type { PolicySpec } from '../../kinds/policy/policy.schema.ts'
import { checkPolicyExpression } from './expression.ts'
import type { RuleSpec } from './rule.ts'
import { timeWindowProblem } from './time-window.ts'

/** What is wrong with rules that fit their schema: what passes can be compiled. */
export function checkPolicy(spec: PolicySpec): SpecProblem[] {
  return [
    ...(spec.rules ?? []).flatMap((rule, i) => checkRule(rule, `/spec/rules/${i}`)),
    ...(spec.windows ?? []).flatMap((window, i) => checkSchedule(window, `/spec/windows/${i}`)),
    ...(spec.allocations ?? []).flatMap((each, i) => checkSplits(each, `/spec/allocations/${i}`)),
  ]
}

function checkRule({ effect, match, requirements, autoMerge }: RuleSpec, pointer: string): SpecProblem[] {
  const problems: SpecProblem[] = []
  if (autoMerge === true && (effect !== 'allow' || requirements?.approvals !== undefined))
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/autoMerge`,
      message: 'only what is allowed, and asks nobody, is merged by itself',
      hint: 'remove autoMerge, or use the effect allow without approvals',
    })
  if (match?.expression !== undefined) {
    const checked = checkPolicyExpression(match.expression)
    if (!checked.ok) problems.push({ ...checked.problem, pointer: `${pointer}/match/expression` })
  }
  const window = requirements?.timeWindow
  if (window !== undefined) problems.push(...checkSchedule(window, `${pointer}/requirements/timeWindow`))
  if (effect === 'deny' && requirements !== undefined)
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/requirements`,
      message: 'what is denied cannot be had by meeting requirements',
      hint: 'remove the requirements, or use the effect allow or require_approval',
    })
  return problems
}

function checkSchedule(
  window: { readonly schedule: string; readonly timeZone?: string },
  pointer: string,
): SpecProblem[] {
  const wrong = timeWindowProblem(window)
  if (wrong === null) return []
  const hint = wrong.field === 'schedule' ? 'write five fields, for example * 9-17 * * 1-5' : 'write an IANA time zone'
  return [{ code: 'SW_BAD_VALUE', pointer: `${pointer}/${wrong.field}`, message: wrong.message, hint }]
}

type Allocation = NonNullable<PolicySpec['allocations']>[number]

/** Percents of one rule sum to 100; what is applied says to whom. */
function checkSplits({ effect, splits = [] }: Allocation, pointer: string): SpecProblem[] {
  if (effect === 'apply' && splits.length === 0)
    return [
      {
        code: 'SW_BAD_VALUE',
        pointer,
        message: 'there is nobody the amount is split among',
        hint: 'name them in splits, or use the effect ignore',
      },
    ]
  const percents = splits.filter(({ type }) => type === 'percent')
  // In millionths, which are exact.
  const sum = percents.reduce((all, { value }) => all + Math.round(value * 1e6), 0)
  if (percents.length === 0 || sum === 100e6) return []
  return [
    {
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/splits`,
      message: `the percents sum to ${sum / 1e6}, not to 100`,
      hint: 'correct them',
    },
  ]
}
