import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Approver, isHuman, type Lineage, mayApprove, NO_LINEAGE } from './may-approve.ts'

const by = (principal: string, roles: string[] = [], teams: string[] = []): Approver => ({ principal, roles, teams })
const change = (...fromAnyOf: string[]) => ({ fromAnyOf, purpose: 'change' as const })
const result = (...fromAnyOf: string[]) => ({ fromAnyOf, purpose: 'result' as const })
const lineage = (more: Partial<Lineage>): Lineage => ({ ...NO_LINEAGE, ...more })
const allowed = (...given: Parameters<typeof mayApprove>) => mayApprove(...given).allowed

describe('an approver set', () => {
  test.each<[string, Approver]>([
    ['role:OwnerAdmin', by('user:ada', ['owner-admin'])],
    ['role:owner_admin', by('user:ada', ['OwnerAdmin'])],
    ['team:platform', by('user:ada', [], ['platform'])],
    ['user:ada', by('user:ada')],
    ['principal:ada', by('user:ada')],
    ['principal:user:ada', by('user:ada')],
    ['git:ada@example.com', by('git:ada@example.com')],
    ['role:operator', by('key:ci', ['operator'])],
    ['agent:brain', by('agent:default/brain')],
    ['agent:default/brain', by('agent:default/brain')],
  ])('%s takes %o', (set, approver) => {
    expect(allowed(approver, change(set), NO_LINEAGE)).toBe(true)
    expect(allowed(approver, change('role:nobody', set), NO_LINEAGE)).toBe(true)
    expect(allowed(approver, change('role:nobody'), NO_LINEAGE)).toBe(false)
  })

  test('that is empty takes every human and nobody else', () => {
    expect(allowed(by('user:ada'), change(), NO_LINEAGE)).toBe(true)
    for (const other of ['key:ci', 'agent:default/sre', 'host:one', 'anonymous', 'source:state'])
      expect(allowed(by(other, ['admin']), change(), NO_LINEAGE)).toBe(false)
  })

  test('takes no agent for a role or a team of people', () => {
    const brain = by('agent:default/brain', ['admin'], ['platform'])
    expect(allowed(brain, change('role:admin', 'team:platform'), NO_LINEAGE)).toBe(false)
  })
})

describe('a change', () => {
  const proposed = lineage({
    authors: ['agent:default/child'],
    members: ['agent:default/child', 'agent:default/boss', 'agent:default/grandchild'],
    parents: ['agent:default/boss'],
  })

  test('is approved by nobody in the lineage of its author, named or not', () => {
    for (const member of proposed.members) expect(allowed(by(member), change(member, 'parent'), proposed)).toBe(false)
    expect(allowed(by('agent:default/other'), change('agent:other'), proposed)).toBe(true)
  })

  test('is never approved by its author, a human either', () => {
    const own = lineage({ authors: ['user:ada'] })
    expect(mayApprove(by('user:ada', ['admin']), change('role:admin'), own)).toEqual({
      allowed: false,
      why: 'user:ada made the change',
    })
    expect(allowed(by('user:bob', ['admin']), change('role:admin'), own)).toBe(true)
  })

  test('of whatever lineage is approved by no agent of it and by no author', () => {
    const name = fc.constantFrom('user:ada', 'user:bob', 'agent:default/a', 'agent:default/b', 'key:ci')
    const names = fc.uniqueArray(name)
    fc.assert(
      fc.property(name, names, names, names, fc.array(name), (principal, authors, members, parents, fromAnyOf) => {
        const ruling = mayApprove(by(principal, ['admin'], []), change(...fromAnyOf), { authors, members, parents })
        if (authors.includes(principal)) expect(ruling.allowed).toBe(false)
        if (!isHuman(principal) && members.includes(principal)) expect(ruling.allowed).toBe(false)
        if (ruling.allowed && !isHuman(principal)) expect(fromAnyOf.length).toBeGreaterThan(0)
      }),
    )
  })
})

describe('a result', () => {
  const done = lineage({
    authors: ['user:ada'],
    members: ['agent:default/worker'],
    parents: ['agent:default/brain', 'agent:default/boss'],
  })

  test('is reviewed by agents that are named, or stand above where the parent is', () => {
    expect(allowed(by('agent:default/brain'), result('agent:brain'), done)).toBe(true)
    expect(allowed(by('agent:default/boss'), result('parent'), done)).toBe(true)
    expect(allowed(by('agent:default/other'), result('parent'), done)).toBe(false)
    expect(allowed(by('agent:default/brain'), result(), done)).toBe(false)
  })

  test('is never reviewed by whoever did it', () => {
    expect(allowed(by('agent:default/worker'), result('agent:worker', 'parent'), done)).toBe(false)
  })

  test('is reviewed by the human who started it, unless that is refused', () => {
    expect(allowed(by('user:ada'), result(), done)).toBe(true)
    expect(allowed(by('user:ada'), { ...result(), selfApproval: false }, done)).toBe(false)
  })
})
