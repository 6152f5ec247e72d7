import type { SpecProblem } from '../definition.ts'

type Step = Readonly<Record<string, unknown>>

/** What only a person who decides has a use for, and what the schema fills in where nothing is said. */
const OF_PEOPLE = { approvers: undefined, min: 1, selfApproval: 'allow', inputSchema: undefined } as const

/** Gates that could never open, that ask for something nobody gives, or that are denied as long as no policy decides. */
export function checkGate(step: Step, pointer: string): SpecProblem[] {
  if (step['kind'] !== 'gate') return []
  return step['mode'] === 'policy' ? checkPolicyGate(step, pointer) : checkManualGate(step, pointer)
}

function checkPolicyGate(step: Step, pointer: string): SpecProblem[] {
  const said = Object.entries(OF_PEOPLE).filter(
    ([field, filled]) => ![undefined, filled].includes(step[field] as never),
  )
  const useless = said.map(([field]) => ({
    code: 'SW_BAD_VALUE' as const,
    pointer: `${pointer}/${field}`,
    message: `${field} is for people who decide, and this gate is decided by policies`,
    hint: `remove ${field}, or use mode manual`,
  }))
  const denied = {
    code: 'SW_BAD_VALUE' as const,
    pointer: `${pointer}/mode`,
    message: `gate ${String(step['id'])} is denied whenever a run reaches it: no policy is enforced by this version`,
    hint: 'use mode manual until policies are enforced',
    severity: 'warning' as const,
  }
  return [...useless, denied]
}

function checkManualGate(step: Step, pointer: string): SpecProblem[] {
  const { approvers, min, inputSchema, onTimeout } = step
  const problems: SpecProblem[] = []
  // Each of user: and principal: is one person; a role or a team may be many.
  if (
    Array.isArray(approvers) &&
    typeof min === 'number' &&
    approvers.every(isPerson) &&
    approvers.length > 0 &&
    min > approvers.length
  ) {
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/min`,
      message: `${min} approvals are needed, but only ${approvers.length} may decide`,
      hint: 'lower min, or name more approvers',
    })
  }
  if (inputSchema === undefined) return problems
  if (typeof min === 'number' && min > 1) {
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/min`,
      message: `an answer is given by one person, but ${min} approvals are needed`,
      hint: 'let a gate of its own ask for the approvals',
    })
  }
  if (onTimeout === 'approve') {
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/onTimeout`,
      message: 'nobody has answered when the time is over, so the gate cannot approve by itself',
      hint: 'use onTimeout: reject',
    })
  }
  return problems
}

function isPerson(approver: unknown): boolean {
  return typeof approver === 'string' && /^(user|principal):/.test(approver)
}
