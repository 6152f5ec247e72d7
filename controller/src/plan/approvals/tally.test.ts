import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NO_LINEAGE } from './may-approve.ts'
import type { ApprovalRequirement } from './requirement.ts'
import { type ChangeDecision, tally } from './tally.ts'

const CHANGE = { fromDigest: 'a', toDigest: 'b' }
const needs = (min: number, ...fromAnyOf: string[]): ApprovalRequirement => ({
  min,
  fromAnyOf,
  askedBy: { kind: 'path', file: 'CODEOWNERS', line: 1, pattern: '*' },
})
const word = (principal: string, more: Partial<ChangeDecision> = {}): ChangeDecision => ({
  principal,
  roles: [],
  teams: [],
  decision: 'approve',
  source: 'api',
  at: '2026-01-01T00:00:00.000Z',
  ...CHANGE,
  ...more,
})
const of = (decisions: ChangeDecision[], ...requirements: ApprovalRequirement[]) =>
  tally(CHANGE, decisions, requirements, { ...NO_LINEAGE, authors: ['user:author'] })

describe('the approvals of a change', () => {
  test('are enough when each requirement has as many as it asks for', () => {
    const two = needs(2, 'user:ada', 'user:bob')
    expect(of([word('user:ada')], two)).toMatchObject({ approved: false, missing: [{ requirement: two, have: 1 }] })
    expect(of([word('user:ada'), word('user:bob')], two)).toMatchObject({
      approved: true,
      approvers: ['user:ada', 'user:bob'],
    })
    expect(of([word('user:ada'), word('user:ada')], two).approved).toBe(false)
    expect(of([word('user:ada'), word('user:bob')], two, needs(1, 'team:x')).approved).toBe(false)
  })

  test('of another change of the same object are stale', () => {
    expect(of([word('user:ada', { fromDigest: 'z' })], needs(1)).approved).toBe(false)
    expect(of([word('user:ada', { toDigest: 'z' })], needs(1)).approved).toBe(false)
  })

  test('are enough only with a human among them', () => {
    const named = needs(1, 'agent:brain', 'user:ada')
    expect(of([word('agent:default/brain')], named)).toMatchObject({ approved: false, missing: [], needsHuman: true })
    expect(of([word('agent:default/brain'), word('user:ada')], named).approved).toBe(true)
  })

  test('say whose do not count, and why', () => {
    expect(of([word('user:author')], needs(1)).ignored).toEqual([
      { principal: 'user:author', why: 'user:author made the change' },
    ])
  })

  test('are undone by a rejection of somebody who may decide, until he says otherwise', () => {
    const no = word('user:bob', { decision: 'reject', at: '2026-01-02T00:00:00.000Z' })
    expect(of([word('user:ada'), no], needs(1))).toMatchObject({ approved: false, rejectedBy: 'user:bob' })
    const yes = word('user:bob', { at: '2026-01-03T00:00:00.000Z' })
    expect(of([word('user:ada'), no, yes], needs(1)).approved).toBe(true)
    expect(of([word('user:ada'), word('user:author', { decision: 'reject' })], needs(1)).approved).toBe(true)
  })

  test('never come to enough without a human who is not the author, whatever is asked', () => {
    const principal = fc.constantFrom('user:author', 'agent:default/a', 'key:ci', 'host:x', 'source:state')
    const words = fc.array(
      principal.map((name) => word(name, { roles: ['admin'], teams: ['all'] })),
      { maxLength: 8 },
    )
    const asked = fc.array(
      fc.record({ min: fc.integer({ min: 1, max: 2 }), fromAnyOf: fc.subarray(['role:admin', 'agent:a', 'team:all']) }),
      { minLength: 1, maxLength: 3 },
    )
    fc.assert(
      fc.property(words, asked, (decisions, sets) => {
        expect(of(decisions, ...sets.map(({ min, fromAnyOf }) => needs(min, ...fromAnyOf))).approved).toBe(false)
      }),
    )
  })
})
