import { describe, expect, it } from 'vitest'
import { checkPolicyExpression } from './expression.ts'

const problem = (text: string) => {
  const checked = checkPolicyExpression(text)
  return checked.ok ? null : checked.problem
}

describe('checkPolicyExpression', () => {
  it.each([
    "resource.labels.tier == 'gold' && env.stage == 'prod'",
    "'role' in subject.roles || subject.principal.startsWith('agent:')",
    "data.fields.exists(f, f.startsWith('/spec/tools'))",
    "at.getHours('Europe/Berlin') < 18 && risk != 'high' && action.startsWith('cicd.')",
    "resource.labels[?'stateward.dev/owner'].orValue('') == 'me'",
  ])('takes %s', (text) => {
    expect(problem(text)).toBeNull()
  })

  it.each([
    ['user.name == "a"', 'SW_UNKNOWN_NAME', 0],
    ["subject.role == 'a'", 'SW_UNKNOWN_NAME', 7],
    ["env.stages == 'a'", 'SW_UNKNOWN_NAME', 3],
    ['action ==', 'SW_EXPRESSION_SYNTAX', 9],
    ['action', 'SW_EXPRESSION_TYPE', 0],
    ['action > 1', 'SW_EXPRESSION_TYPE', 0],
  ])('refuses %s', (text, code, offset) => {
    expect(problem(text)).toMatchObject({ code })
    expect(Math.abs(problem(text)!.offset - offset)).toBeLessThanOrEqual(2)
  })

  it('names the field that was probably meant', () => {
    expect(problem("subject.role == 'a'")!.hint).toContain('roles')
  })
})
