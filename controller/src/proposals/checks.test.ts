import { describe, expect, it } from 'vitest'
import type { Issue } from '../lib/issue.ts'
import type { Change } from '../plan/change-set.ts'
import { checksOf, type Examined } from './checks.ts'
import type { ProposalPlan } from './ports.ts'

const issue = (code: string, severity: Issue['severity'] = 'error'): Issue => ({
  ...{ code, severity, message: 'it is wrong', hint: 'correct it' },
  ...{ file: 'agents/sre.yaml', line: 3, column: 5 },
})
let changes: Change[] = []
function planWith(...newIssues: Issue[]): ProposalPlan {
  const counts = { create: 1, update: 2, unchanged: 5, delete: 0, skip: 0, blocked: 0 }
  const plan = { counts, changes, risk: 'medium' } as unknown as ProposalPlan['plan']
  return { plan, newIssues, json: {} }
}
const examined = (more: Partial<Examined>): Examined => ({
  ...{ conflicts: [], plan: planWith(), files: ['agents/sre.yaml', 'README.md'] },
  ...{ limits: null, secrets: [], landsBy: null },
  ...more,
})
const statesOf = (more: Partial<Examined>) =>
  Object.fromEntries(checksOf(examined(more)).map(({ name, state }) => [name, state]))

describe('the checks of a proposal', () => {
  it('pass when nothing is wrong, and say what it would do', () => {
    expect(statesOf({})).toEqual({
      mergeable: 'passed',
      secrets: 'passed',
      schema: 'passed',
      references: 'passed',
      approvals: 'passed',
      plan: 'passed',
    })
    expect(checksOf(examined({})).at(-1)!.summary).toBe('1 create, 2 update; risk medium')
  })

  it('name the files that conflict, and stop there', () => {
    expect(checksOf(examined({ conflicts: ['a.yaml', 'b.yaml'], plan: null }))).toMatchObject([
      { name: 'mergeable', state: 'failed', problems: [{ file: 'a.yaml' }, { file: 'b.yaml' }] },
      { name: 'secrets', state: 'passed' },
    ])
  })

  it('tell problems of documents from problems of what they name; warnings fail nothing', () => {
    expect(statesOf({ plan: planWith(issue('SW_BAD_VALUE')) })).toMatchObject({
      schema: 'failed',
      references: 'passed',
    })
    expect(statesOf({ plan: planWith(issue('SW_REFERENCE_NOT_FOUND')) })).toMatchObject({
      ...{ schema: 'passed', references: 'failed' },
    })
    expect(statesOf({ plan: planWith(issue('SW_BAD_VALUE', 'warning')) })).toMatchObject({ schema: 'passed' })
    const [, , schema] = checksOf(examined({ plan: planWith(issue('SW_BAD_VALUE')) }))
    expect(schema!.problems).toEqual([
      expect.objectContaining({ code: 'SW_BAD_VALUE', file: 'agents/sre.yaml', line: 3, hint: 'correct it' }),
    ])
  })

  it('wait for approvals, fail when a policy denies, and name who has agreed', () => {
    const of = (change: Partial<Change>) => {
      changes = [
        {
          kind: 'Agent',
          namespace: 'default',
          name: 'a',
          fields: [],
          fromDigest: null,
          toDigest: 'x',
          action: 'create',
          ...change,
        },
      ]
      const found = checksOf(examined({ plan: planWith() })).find(({ name }) => name === 'approvals')!
      changes = []
      return found
    }
    const held = { action: 'blocked', held: 'create', message: 'waits for somebody' } as const
    expect(of({ ...held, reason: 'ApprovalRequired' })).toMatchObject({
      state: 'waiting',
      problems: [{ code: 'SW_APPROVAL_REQUIRED', message: 'Agent/default/a: waits for somebody' }],
    })
    expect(of({ ...held, reason: 'PolicyDenied' })).toMatchObject({ state: 'failed' })
    expect(of({ approval: { asks: [], approvers: ['user:ada'], rejectedBy: null } }).summary).toBe(
      'approved by user:ada',
    )
  })

  it('hold an agent to its files and to their number', () => {
    const paths = (allowedPaths: string[] | null, maxChangedFiles: number | null = null) =>
      checksOf(examined({ limits: { allowedPaths, maxChangedFiles } })).find(({ name }) => name === 'paths')!
    expect(paths(null)).toMatchObject({ state: 'passed' })
    expect(paths(['agents/*.yaml', '*.md'])).toMatchObject({ state: 'passed' })
    expect(paths(['agents/**'])).toMatchObject({ state: 'failed', problems: [{ file: 'README.md' }] })
    expect(paths([]).problems).toHaveLength(2)
    expect(paths(null, 2)).toMatchObject({ state: 'passed' })
    expect(paths(null, 1)).toMatchObject({ state: 'failed', problems: [{ code: 'SW_TOO_MANY_FILES' }] })
  })

  it('let nobody out of a folder by its beginning, or by a hidden file', () => {
    const files = ['docs/../agents/sre.yaml', 'docsx/a.md', 'docs/.hidden/a.md']
    const [, paths] = checksOf(examined({ files, limits: { allowedPaths: ['docs/**'], maxChangedFiles: null } }))
    expect(paths!.problems.map(({ file }) => file)).toEqual(files)
  })
})
