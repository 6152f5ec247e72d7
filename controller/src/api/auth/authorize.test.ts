import { describe, expect, it } from 'vitest'
import { authorize } from './authorize.ts'
import type { Principal } from './principal.ts'
import { ROLES, type RoleName, roleNamed, verbsOf } from './roles.ts'
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
      expect.objectContaining({
        status: 403,
        details: expect.objectContaining({ verb: 'runs.start', roles: expect.arrayContaining(['operator', 'user']) }),
      }),
    )
  })
})

describe('the roles', () => {
  it('contain each other: viewer, operator, admin', () => {
    const [viewer, operator, admin] = (['viewer', 'operator', 'admin'] as const).map((role) => verbsOf([role]))
    expect(viewer!.isSubsetOf(operator!)).toBe(true)
    expect(operator!.isSubsetOf(admin!)).toBe(true)
  })

  it('of the seeds hold what their names say', () => {
    const verbs = (role: string) => verbsOf([roleNamed(role)!])
    expect(roleNamed('CEO')).toBe('founder')
    expect([roleNamed('OwnerAdmin'), roleNamed('RuleSteward'), roleNamed('nobody')]).toEqual([
      'owner-admin',
      'rule-steward',
      null,
    ])
    expect(
      ['objects.intervene', 'breakers.trigger', 'alerts.write'].filter((v) => !verbs('Governor').has(v as Verb)),
    ).toEqual([])
    expect(['actions.execute', 'runs.start', 'operations.run'].filter((v) => verbs('Governor').has(v as Verb))).toEqual(
      [],
    )
    expect(['tasks.write', 'agents.spawn'].filter((v) => !verbs('Orchestrator').has(v as Verb))).toEqual([])
    expect([...verbs('User')].sort()).toEqual([
      'git.fetch',
      'mcp.connect',
      'proposals.read',
      'read',
      'runs.start',
      'tasks.read',
    ])
    expect(verbs('Founder')).toEqual(verbs('admin'))
  })

  it('let nobody but an agent do the work of an agent', () => {
    expect(verbsOf(['admin']).has('agent.work')).toBe(false)
    expect([...verbsOf(['agent'])].toSorted()).toEqual([
      'agent.work',
      'agents.register',
      'agents.spawn',
      'costs.write',
      'gates.decide',
      'git.fetch',
      'git.push',
      'mcp.connect',
      'messages.read',
      'messages.send',
      'models.speak',
      'proposals.open',
      'proposals.read',
      'tasks.create',
      'tasks.read',
      'tools.call',
      'work.write',
    ])
  })
})
