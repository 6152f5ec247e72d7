import { describe, expect, it } from 'vitest'
import { forged, type Pusher, refusal } from './pushed.ts'

const PERSON: Pusher = { agent: null, mayMoveAll: false, mayFreeze: false }
const ADMIN: Pusher = { agent: null, mayMoveAll: true, mayFreeze: true }
const SRE: Pusher = { agent: { namespace: 'default', name: 'sre' }, mayMoveAll: false, mayFreeze: false }
const may = (ref: string, pusher: Pusher) => refusal({ ref, from: null, to: 'a'.repeat(40) }, pusher) === null

describe('a push', () => {
  it('of an agent moves branches of its own alone, whatever it may do besides', () => {
    expect(may('refs/heads/agents/default/sre/fix', SRE)).toBe(true)
    expect(may('refs/heads/agents/default/sre/deep/er', SRE)).toBe(true)
    for (const ref of [
      'refs/heads/main',
      'refs/heads/proposals/x',
      'refs/heads/agents/default/sre',
      'refs/heads/agents/default/sre2/x',
      'refs/heads/agents/other/sre/x',
      'refs/tags/agents/default/sre/x',
      'refs/stateward/proposals/x',
    ]) {
      expect(may(ref, SRE), ref).toBe(false)
      expect(may(ref, { ...SRE, mayMoveAll: true }), ref).toBe(false)
    }
  })

  it('of a person moves proposals, of an administrator any branch, and nobody moves what the controller writes', () => {
    expect(may('refs/heads/proposals/x', PERSON)).toBe(true)
    expect(may('refs/heads/main', PERSON)).toBe(false)
    expect(may('refs/heads/agents/default/sre/x', PERSON)).toBe(false)
    expect(may('refs/tags/v1', PERSON)).toBe(false)
    for (const ref of ['refs/heads/main', 'refs/heads/agents/default/sre/x', 'refs/tags/v1'])
      expect(may(ref, ADMIN)).toBe(true)
    for (const ref of ['refs/heads/stateward/status', 'refs/notes/stateward', 'refs/stateward/landing/x'])
      for (const who of [PERSON, ADMIN]) expect(may(ref, who)).toBe(false)
  })

  it('may say that the fleet is to be frozen, and takes that away in no other way than by asking', () => {
    const ref = 'refs/stateward/freeze'
    const asks = (to: string | null, who: Pusher) => refusal({ ref, from: null, to }, who) === null
    expect(asks('c', PERSON)).toBe(false)
    expect(asks('c', { ...PERSON, mayFreeze: true })).toBe(true)
    expect(asks('c', { ...SRE, mayFreeze: true })).toBe(false)
    expect(asks(null, ADMIN)).toBe(false)
  })

  it('brings commits of whoever pushes', () => {
    const by = (name: string, email: string, committer = { name, email }) => ({ author: { name, email }, committer })
    const own = 'controller@stateward.dev'
    expect(forged(by('agent:default/sre', own), 'agent:default/sre')).toBeNull()
    expect(forged(by('agent:default/sre', 'a@b.c'), 'agent:default/sre')).not.toBeNull()
    expect(forged(by('Bob', 'bob@example.org'), 'user:bob')).toBeNull()
    expect(forged(by('user:bob', own), 'user:bob')).toBeNull()
    expect(forged(by('user:boss', own), 'user:bob')).not.toBeNull()
    expect(forged(by('Bob', 'bob@example.org', { name: 'user:boss', email: own }), 'user:bob')).not.toBeNull()
  })
})
