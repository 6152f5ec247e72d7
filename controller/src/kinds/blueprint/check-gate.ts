import type { SpecProblem } from '../definition.ts'

type Step = Readonly<Record<string, unknown>>

/** What is about people who are asked one by one, and what the schema fills in where nothing is said. */
const OF_APPROVERS = { approvers: undefined, min: 1, selfApproval: 'allow' } as const
const OF_PEOPLE = { ...OF_APPROVERS, inputSchema: undefined } as const
/** What is about how long is waited. */
const OF_WAITING = { timeout: undefined, onTimeout: 'reject', message: undefined } as const

/** Gates that could never open, or that ask for something nobody gives. */
export function checkGate(step: Step, pointer: string): SpecProblem[] {
  if (step['kind'] !== 'gate') return []
  switch (step['mode']) {
    case 'policy':
      return uselessFields(step, pointer, { ...OF_PEOPLE, ...OF_WAITING }, 'policies decide this gate')
    case 'pullRequest':
      return [
        ...uselessFields(step, pointer, OF_APPROVERS, 'whoever may merge decides this gate'),
        ...checkAnswer(step, pointer),
      ]
    default:
      return [...checkApprovers(step, pointer), ...checkAnswer(step, pointer)]
  }
}

/** Fields that nothing acts on in this mode. */
function uselessFields(
  step: Step,
  pointer: string,
  fields: Readonly<Record<string, unknown>>,
  why: string,
): SpecProblem[] {
  return Object.entries(fields)
    .filter(([field, filled]) => step[field] !== undefined && step[field] !== filled)
    .map(([field]) => ({
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/${field}`,
      message: `${field} has no meaning here: ${why}`,
      hint: `remove ${field}, or use mode manual`,
    }))
}

function checkApprovers(step: Step, pointer: string): SpecProblem[] {
  const { approvers, min } = step
  // Each of user: and principal: is one person; a role or a team may be many.
  const tooFew =
    Array.isArray(approvers) &&
    typeof min === 'number' &&
    approvers.every(isPerson) &&
    approvers.length > 0 &&
    min > approvers.length
  if (!tooFew) return []
  return [
    {
      code: 'SW_BAD_VALUE',
      pointer: `${pointer}/min`,
      message: `${min} approvals are needed, but only ${approvers.length} may decide`,
      hint: 'lower min, or name more approvers',
    },
  ]
}

function checkAnswer(step: Step, pointer: string): SpecProblem[] {
  const { min, inputSchema, onTimeout } = step
  if (inputSchema === undefined) return []
  const problems: SpecProblem[] = []
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
