import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agent, appliedFiles, type Files, manifest, planFromTo, summaryOf } from '../../../test/support/state-files.ts'
import { keyOf } from '../../kinds/resource.ts'
import { effectsOfPlan } from '../effects/effects-of-plan.ts'
import { type Governance, type GovernedPlan, governed } from './hold.ts'
import { NO_LINEAGE } from './may-approve.ts'
import { ALLOWED, type ChangeVerdict } from './requirement.ts'
import type { ChangeDecision } from './tally.ts'

const ASKS: ChangeVerdict = {
  effect: 'require_approval',
  reason: '',
  requirements: [
    {
      min: 1,
      fromAnyOf: ['role:owner-admin'],
      askedBy: { kind: 'policy', namespace: 'default', name: 'owners', version: 1, rule: 'ask' },
    },
  ],
  advisory: [],
}
const DENIES: ChangeVerdict = { ...ALLOWED, effect: 'deny', reason: 'policy frozen, rule no: not today' }

function planned(from: Files, to: Files, governance: Partial<Governance> | null): GovernedPlan {
  const made = planFromTo(from, to)
  const does = effectsOfPlan(made, appliedFiles(from), () => null)
  return governed(
    made,
    does,
    governance === null
      ? null
      : { verdictFor: () => ALLOWED, decisionsOf: () => [], lineageOf: () => NO_LINEAGE, ...governance },
  )
}

/** Asks about these objects only. */
const asking =
  (...keys: string[]): Governance['verdictFor'] =>
  (change) =>
    keys.includes(keyOf(change)) ? ASKS : ALLOWED

function approval(made: GovernedPlan, key: string, more: Partial<ChangeDecision> = {}): ChangeDecision {
  const change = made.changes.find((each) => keyOf(each) === key)!
  return {
    ...{ principal: 'user:ada', roles: ['owner-admin'], teams: [], decision: 'approve' as const, source: 'api' },
    at: '2026-01-01T00:00:00.000Z',
    fromDigest: change.fromDigest,
    toDigest: change.toDigest,
    ...more,
  }
}

const FROM = { 'a.yaml': agent('a'), 'b.yaml': agent('b') }
const TO = { 'a.yaml': agent('a', { replicas: 2 }), 'b.yaml': agent('b', { replicas: 2 }), 'c.yaml': agent('c') }
const A = 'Agent/default/a'

describe('a change that policy asks an approval for', () => {
  test('waits, and the rest of the commit goes on', () => {
    const made = planned(FROM, TO, { verdictFor: asking(A) })
    expect(summaryOf(made)).toEqual([
      'blocked Agent/default/a (ApprovalRequired)',
      'update Agent/default/b',
      'create Agent/default/c',
    ])
    expect(made.counts).toMatchObject({ blocked: 1, update: 1, create: 1 })
    expect(made.pending.has(A)).toBe(true)
    const [held] = made.changes
    expect(held).toMatchObject({ held: 'update', approval: { approvers: [], rejectedBy: null } })
    expect(held?.fields.map(({ pointer }) => pointer)).toEqual(['/spec/replicas'])
    expect(held?.message).toBe(
      'waits for 1 approval of role:owner-admin (policy owners, rule ask): `stateward approve agent/a`',
    )
    expect(made.effects.some((effect) => keyOf(effect) === A)).toBe(true)
  })

  test('goes on with the approval of exactly this change', () => {
    const waiting = planned(FROM, TO, { verdictFor: asking(A) })
    const given = (more: Partial<ChangeDecision>) =>
      planned(FROM, TO, { verdictFor: asking(A), decisionsOf: () => [approval(waiting, A, more)] })
    expect(given({}).changes[0]).toMatchObject({ action: 'update', approval: { approvers: ['user:ada'] } })
    expect(given({ fromDigest: 'another' }).changes[0]?.action).toBe('blocked')
    expect(given({ toDigest: 'another' }).changes[0]?.action).toBe('blocked')
    expect(given({ roles: ['viewer'] }).changes[0]?.message).toContain('user:ada is none of role:owner-admin')
    expect(given({ decision: 'reject' }).changes[0]?.message).toContain('rejected by user:ada')
  })

  test('does not count that of its author', () => {
    const waiting = planned(FROM, TO, { verdictFor: asking(A) })
    const made = planned(FROM, TO, {
      verdictFor: asking(A),
      decisionsOf: () => [approval(waiting, A)],
      lineageOf: () => ({ ...NO_LINEAGE, authors: ['user:ada'] }),
    })
    expect(made.changes[0]?.message).toContain('user:ada made the change, so that does not count')
  })

  test('may be a creation or a deletion', () => {
    const made = planned(FROM, { 'b.yaml': agent('b'), 'c.yaml': agent('c') }, { verdictFor: () => ASKS })
    expect(made.changes.map(({ action, held }) => `${action} ${held}`).sort()).toEqual([
      'blocked create',
      'blocked delete',
    ])
  })
})

describe('what else decides', () => {
  test('a denial waits for nobody', () => {
    const made = planned(FROM, TO, {
      verdictFor: (change) => (keyOf(change) === A ? DENIES : ALLOWED),
      decisionsOf: () => [approval(planned(FROM, TO, null), A)],
    })
    expect(made.changes[0]).toMatchObject({ action: 'blocked', reason: 'PolicyDenied', message: DENIES.reason })
  })

  test('a policy that only records is told and holds nothing', () => {
    const advisory = ['policy new would ask for 1 approval']
    const made = planned(FROM, TO, { verdictFor: () => ({ ...ALLOWED, advisory }) })
    expect(made.counts.blocked).toBe(0)
    expect(made.changes[0]).toMatchObject({ action: 'update', advisory })
  })

  test('a template waits with an agent that inherits from it, and agents wait with their template', () => {
    const template = (replicas: string) =>
      manifest('AgentTemplate', 't', { runtime: { process: { command: ['node', replicas] } } })
    const inherits = (name: string) => manifest('Agent', name, { templateRef: { name: 't' } })
    const from = {
      't.yaml': template('one.js'),
      'a.yaml': inherits('a'),
      'b.yaml': inherits('b'),
      'c.yaml': agent('c'),
    }
    const to = { ...from, 't.yaml': template('two.js'), 'c.yaml': agent('c', { replicas: 3 }) }
    for (const asked of [A, 'AgentTemplate/default/t']) {
      const made = planned(from, to, { verdictFor: asking(asked) })
      expect(summaryOf(made).sort()).toEqual([
        'blocked Agent/default/a (ApprovalRequired)',
        'blocked Agent/default/b (ApprovalRequired)',
        'blocked AgentTemplate/default/t (ApprovalRequired)',
        'update Agent/default/c',
      ])
    }
  })
})

describe('the digest of a plan', () => {
  test('says what is decided: not the order, the commit, or what waits', () => {
    const free = planned(FROM, TO, null)
    const policies = planned(FROM, TO, { verdictFor: asking(A) })
    expect(planned(FROM, { ...TO, 'x.txt': 'x' }, null).digest).toBe(free.digest)
    expect(policies.digest).not.toBe(free.digest)
    const approved = planned(FROM, TO, { verdictFor: asking(A), decisionsOf: () => [approval(free, A)] })
    expect(approved.digest).toBe(policies.digest)
  })
})

test('whatever is asked and decided, nothing is applied without its approval and nothing else waits', () => {
  const names = ['a', 'b', 'c', 'd']
  const files = (replicas: number) =>
    Object.fromEntries(names.map((name) => [`${name}.yaml`, agent(name, { replicas })]))
  const some = fc.subarray(names)
  fc.assert(
    fc.property(some, some, some, (asked, agreed, authored) => {
      const key = (name: string) => `Agent/default/${name}`
      const free = planned(files(1), files(2), null)
      const made = planned(files(1), files(2), {
        verdictFor: asking(...asked.map(key)),
        decisionsOf: (of) => (agreed.map(key).includes(of) ? [approval(free, of)] : []),
        lineageOf: (of) => ({ ...NO_LINEAGE, authors: authored.map(key).includes(of) ? ['user:ada'] : [] }),
      })
      for (const name of names) {
        const waits = asked.includes(name) && !(agreed.includes(name) && !authored.includes(name))
        const change = made.changes.find((each) => each.name === name)
        expect(change?.action).toBe(waits ? 'blocked' : 'update')
      }
    }),
    { numRuns: 50 },
  )
})
