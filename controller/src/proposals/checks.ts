import { keyOf } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import type { ProposalCheck, ProposalProblem } from '../store/queries/proposals.ts'
import { AUTO_MERGE_CHECK } from './auto-merge.ts'
import type { ProposalPlan, WorkspaceLimits } from './ports.ts'
import { beyondLimits } from './workspace-limits.ts'

/** Codes of problems with what an object names; every other one is about the documents themselves. */
const REFERENCES = new Set([
  'SW_REFERENCE_NOT_FOUND',
  'SW_REFERENCE_BROKEN',
  'SW_UNKNOWN_KIND',
  'SW_FILE_NOT_FOUND',
  'SW_DEPENDENCY_CYCLE',
])
/** A list of problems is for people: the first ones lead to the rest. */
const MAX_PROBLEMS = 100

export interface Examined {
  readonly conflicts: readonly string[]
  /** Null where it cannot be merged. */
  readonly plan: ProposalPlan | null
  readonly files: readonly string[]
  /** Secrets in plain sight. */
  readonly secrets: readonly Issue[]
  /** Of the agent that proposes it; null for people. */
  readonly limits: WorkspaceLimits | null
  /** Policies that let it land by itself, in words; null = a person merges it. */
  readonly landsBy: string | null
}

/** Everything that is looked at before a proposal may land, in the order in which it is shown. Pure. */
export function checksOf({ conflicts, plan, files, limits, secrets, landsBy }: Examined): ProposalCheck[] {
  const checks = [mergeable(conflicts)]
  if (limits !== null) checks.push(paths(files, limits))
  checks.push(issueCheck('secrets', secrets))
  if (plan === null) return checks
  const errors = plan.newIssues.filter(({ severity, code }) => severity === 'error' && code !== 'SW_PLAINTEXT_SECRET')
  checks.push(
    issueCheck(
      'schema',
      errors.filter(({ code }) => !REFERENCES.has(code)),
    ),
    issueCheck(
      'references',
      errors.filter(({ code }) => REFERENCES.has(code)),
    ),
    approvalsCheck(plan),
    planCheck(plan),
  )
  if (landsBy !== null && checks.every(({ state }) => state === 'passed'))
    checks.push({ name: AUTO_MERGE_CHECK, state: 'passed', summary: `lands by itself: ${landsBy}`, problems: [] })
  return checks
}

function mergeable(conflicts: readonly string[]): ProposalCheck {
  const problems = conflicts.map(
    (file): ProposalProblem => ({
      code: 'SW_MERGE_CONFLICT',
      message: 'it was changed on the protected branch, too',
      hint: 'merge the protected branch into this one and push it again',
      ...{ file, line: null, column: null },
    }),
  )
  return check(
    'mergeable',
    problems,
    'no conflicts',
    `${conflicts.length} conflicting ${plural(conflicts.length, 'file')}`,
  )
}

function paths(files: readonly string[], limits: WorkspaceLimits): ProposalCheck {
  const problems = beyondLimits(files, limits)
  return check(
    'paths',
    problems,
    `${files.length} ${plural(files.length, 'file')}, as the agent may`,
    'more than the agent may change',
  )
}

function issueCheck(name: string, issues: readonly Issue[]): ProposalCheck {
  const problems = issues.map(
    ({ code, message, hint, file, line, column }): ProposalProblem => ({
      ...{ code, message, hint },
      ...{ file: file ?? null, line: line ?? null, column: column ?? null },
    }),
  )
  return check(name, problems, 'nothing is wrong', `${issues.length} ${plural(issues.length, 'problem')}`)
}

/** Says what it would do; what is wrong with that, others decide. */
function planCheck({ plan }: ProposalPlan): ProposalCheck {
  const { counts, risk } = plan
  const parts = (['create', 'update', 'delete', 'blocked', 'skip'] as const).flatMap((action) =>
    counts[action] === 0 ? [] : [`${counts[action]} ${action}`],
  )
  const summary = parts.length === 0 ? 'no object changes' : `${parts.join(', ')}; risk ${risk}`
  return { name: 'plan', state: 'passed', summary, problems: [] }
}

/** Denied by a policy is wrong; without an approval that is asked for it waits. */
function approvalsCheck({ plan: { changes } }: ProposalPlan): ProposalCheck {
  const held = changes.filter((change) => change.held !== undefined)
  const problems = held.map(
    (change): ProposalProblem => ({
      code: change.reason === 'PolicyDenied' ? 'SW_POLICY_DENIED' : 'SW_APPROVAL_REQUIRED',
      message: `${keyOf(change)}: ${change.message ?? ''}`,
      hint:
        change.reason === 'PolicyDenied'
          ? 'change what is proposed, or the policy first'
          : 'whoever may runs: stateward approve proposal/<id>',
      ...{ file: change.file ?? null, line: null, column: null },
    }),
  )
  const denied = held.some(({ reason }) => reason === 'PolicyDenied')
  const agreed = [...new Set(changes.flatMap(({ approval }) => approval?.approvers ?? []))]
  const good = agreed.length === 0 ? 'nobody is asked' : `approved by ${agreed.join(', ')}`
  return {
    name: 'approvals',
    state: denied ? 'failed' : held.length > 0 ? 'waiting' : 'passed',
    summary: denied ? 'a policy denies it' : held.length > 0 ? 'waits for an approval' : good,
    problems: problems.slice(0, MAX_PROBLEMS),
  }
}

function check(name: string, problems: readonly ProposalProblem[], good: string, bad: string): ProposalCheck {
  const failed = problems.length > 0
  return {
    name,
    state: failed ? 'failed' : 'passed',
    summary: failed ? bad : good,
    problems: problems.slice(0, MAX_PROBLEMS),
  }
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`
}
