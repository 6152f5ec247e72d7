import { describe, expect, it } from 'vitest'
import { authorize } from './authorize.ts'
import type { Access, AuthMode, Principal } from './principal.ts'

const anonymous: Principal = { type: 'anonymous', name: 'anonymous' }
const admin: Principal = { type: 'admin', name: 'user:ada' }
const agent: Principal = {
  type: 'agent',
  name: 'agent:default/sre',
  instanceId: 'i',
  agentUid: 'u',
  namespace: 'default',
  agent: 'sre',
}

function answer(principal: Principal, access: Access, mode: AuthMode): number {
  try {
    authorize(principal, access, mode)
    return 200
  } catch (error) {
    return (error as { status: number }).status
  }
}

describe('authorize', () => {
  it.each<[Principal, AuthMode, Record<Access, number>]>([
    [anonymous, 'none', { public: 200, read: 200, write: 401, agent: 401 }],
    [anonymous, 'token', { public: 200, read: 401, write: 401, agent: 401 }],
    [admin, 'none', { public: 200, read: 200, write: 200, agent: 403 }],
    [admin, 'token', { public: 200, read: 200, write: 200, agent: 403 }],
    [agent, 'none', { public: 200, read: 403, write: 403, agent: 200 }],
    [agent, 'token', { public: 200, read: 403, write: 403, agent: 200 }],
  ])('gives %o in mode %s exactly its routes', (principal, mode, expected) => {
    for (const [access, status] of Object.entries(expected))
      expect([access, answer(principal, access as Access, mode)]).toEqual([access, status])
  })
})
