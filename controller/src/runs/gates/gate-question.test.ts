import { describe, expect, it } from 'vitest'
import { proposalBranch } from './gate-question.ts'

describe('proposalBranch', () => {
  it('names the run and the step, and is the same for the same step', () => {
    expect(proposalBranch('fix-k3q9zt', 'approve', 's1')).toBe('proposals/fix-k3q9zt-approve')
  })

  it('tells steps apart whose paths differ in punctuation only', () => {
    const names = ['each[1].ok', 'each[11].ok', 'each_1_ok', 'each1ok'].map((path, i) =>
      proposalBranch('r', path, `s${i}`),
    )
    expect(new Set(names).size).toBe(4)
    for (const name of names) expect(name).toMatch(/^proposals\/[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
  })

  it('is a name of a document, however long the run and the step are called', () => {
    const name = proposalBranch('r'.repeat(63), 'a'.repeat(63), 's').slice('proposals/'.length)
    expect(name.length).toBeLessThanOrEqual(63)
    expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
  })
})
