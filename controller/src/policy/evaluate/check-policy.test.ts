import { describe, expect, it } from 'vitest'
import { checkPolicy } from './check-policy.ts'
import type { RuleSpec } from './rule.ts'

const check = (rule: Partial<RuleSpec>) => checkPolicy({ rules: [{ id: 'r', effect: 'require_approval', ...rule }] })

describe('checkPolicy', () => {
  it('takes a rule that can be asked', () => {
    const timeWindow = { schedule: '* 9-17 * * 1-5', timeZone: 'Europe/Berlin' }
    expect(check({ match: { expression: "env.stage == 'prod'" }, requirements: { timeWindow } })).toEqual([])
  })

  it('tells where an expression is wrong', () => {
    expect(check({ match: { expression: "env.stages == 'prod'" } })).toMatchObject([
      { code: 'SW_UNKNOWN_NAME', pointer: '/spec/rules/0/match/expression', hint: 'did you mean "stage"?' },
    ])
  })

  it('refuses a window that is no schedule, or in no time zone', () => {
    expect(check({ requirements: { timeWindow: { schedule: '* * * * * *' } } })).toMatchObject([
      { pointer: '/spec/rules/0/requirements/timeWindow/schedule' },
    ])
    expect(check({ requirements: { timeWindow: { schedule: '* 9-17 * * *', timeZone: 'Mars' } } })).toMatchObject([
      { pointer: '/spec/rules/0/requirements/timeWindow/timeZone' },
    ])
  })

  it('refuses requirements of a deny', () => {
    expect(check({ effect: 'deny', requirements: { testsRequired: true } })).toMatchObject([
      { pointer: '/spec/rules/0/requirements' },
    ])
  })
})
