import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { proposalBranch, wordOf } from './branch-names.ts'

describe('the name of a branch', () => {
  it('says whether it is a proposal, and of which agent', () => {
    expect(proposalBranch('refs/heads/proposals/more-of-it')).toEqual({
      branch: 'proposals/more-of-it',
      agent: null,
      word: 'more-of-it',
    })
    expect(proposalBranch('refs/heads/agents/default/sre/fix/disk')).toEqual({
      branch: 'agents/default/sre/fix/disk',
      agent: { namespace: 'default', name: 'sre' },
      word: 'sre-fix-disk',
    })
  })

  it.each([
    'refs/heads/main',
    'refs/heads/proposals',
    'refs/heads/agents/default/sre',
    'refs/tags/proposals/x',
    'proposals/x',
  ])('is not one of a proposal: %s', (ref) => {
    expect(proposalBranch(ref)).toBeNull()
  })

  it('whatever it is, makes the beginning of an id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(wordOf(text)).toMatch(/^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$/)
      }),
    )
  })
})
