import { describe, expect, it } from 'vitest'
import { authorize } from './authorize.ts'
import type { Principal } from './principal.ts'
import { ROLES, type RoleName, verbsOf } from './roles.ts'
import { VERBS, type Verb } from './verbs.ts'

const holder = (type: 'anonymous' | 'admin', ...roles: RoleName[]): Principal => ({
  type,
  name: type,
  verbs: verbsOf(roles),
})

function answer(principal: Principal, access: 'public' | Verb): number {
  try {
    authorize(principal, access)
    return 200
  } catch (error) {
    return (error as { status: number }).status
  }
}

describe('authorize', () => {
  it('lets everybody do what is public', () => {
    expect(answer(holder('anonymous'), 'public')).toBe(200)
  })

  it('gives each role exactly its verbs', () => {
    for (const role of Object.keys(ROLES) as RoleName[]) {
      const passed = (Object.keys(VERBS) as Verb[]).filter((verb) => answer(holder('admin', role), verb) === 200)
      expect([role, passed.sort()]).toEqual([role, [...new Set<Verb>(ROLES[role].verbs)].sort()])
    }
  })

  it('asks who has no credential for one, and names the roles to who has the wrong one', () => {
    expect(answer(holder('anonymous', 'viewer'), 'read')).toBe(200)
    expect(answer(holder('anonymous', 'viewer'), 'runs.start')).toBe(401)
    expect(() => authorize(holder('admin', 'viewer'), 'runs.start')).toThrow(
      expect.objectContaining({ status: 403, details: { verb: 'runs.start', roles: ['operator', 'admin'] } }),
    )
  })
})

describe('the roles', () => {
  it('contain each other: viewer, operator, admin', () => {
    const [viewer, operator, admin] = (['viewer', 'operator', 'admin'] as const).map((role) => verbsOf([role]))
    expect(viewer!.isSubsetOf(operator!)).toBe(true)
    expect(operator!.isSubsetOf(admin!)).toBe(true)
  })

  it('let nobody but an agent do the work of an agent', () => {
    expect(verbsOf(['admin']).has('agent.work')).toBe(false)
    expect([...verbsOf(['agent'])]).toEqual(['agent.work'])
  })
})
