import { describe, expect, it } from 'vitest'
import { backtest } from './backtest.ts'
import { readCases, runCase } from './cases.ts'
import { compilePolicy } from './evaluate/compile.ts'

const NOW = new Date('2026-11-20T10:30:00Z')
const policies = [
  compilePolicy({
    namespace: 'default',
    name: 'infra',
    version: 1,
    spec: {
      rules: [
        { id: 'no-destroy', effect: 'deny', match: { action: 'infra.destroy', stage: 'prod' } },
        {
          id: 'ask',
          effect: 'require_approval',
          match: { action: 'infra.*' },
          requirements: { approvals: { min: 1, fromAnyOf: ['role:OwnerAdmin'] } },
        },
      ],
    },
  }),
]
const FILE = {
  defaults: { env: { stage: 'prod' }, subject: { principal: 'user:ada', roles: ['operator'] } },
  cases: [
    { name: 'nobody destroys production', request: { action: 'infra.destroy' }, expect: 'deny' },
    {
      name: 'elsewhere an owner agrees',
      request: { action: 'infra.destroy', env: { stage: 'dev' } },
      expect: { effect: 'require_approval', rule: 'ask', approvals: [{ min: 1, fromAnyOf: ['role:OwnerAdmin'] }] },
    },
    { name: 'this one is wrong', request: { action: 'http.get' }, expect: { effect: 'deny', policy: 'infra' } },
  ],
}

describe('cases of policies', () => {
  it('take what they do not say from the defaults of their file', () => {
    const [first, second] = readCases(FILE, NOW)
    expect(first!.request).toMatchObject({
      point: 'tool_call',
      env: { id: 'default', stage: 'prod' },
      subject: { principal: 'user:ada', roles: ['operator'] },
      resource: { type: 'tool', namespace: 'default', name: 'infra.destroy' },
      at: NOW,
    })
    expect(second!.request.env).toMatchObject({ id: 'default', stage: 'dev' })
  })

  it('tell what came out otherwise', () => {
    const results = readCases(FILE, NOW).map((each) => runCase(policies, each))
    expect(results.map(({ differences }) => differences)).toEqual([
      [],
      [],
      ['effect: expected "deny", got "allow"', 'policy: expected "default/infra", got null'],
    ])
  })

  it.each([
    [[], 'the file: has to be a map'],
    [{}, 'cases: has to be a list of cases'],
    [{ cases: [{ request: {} }] }, 'cases[0]: needs a name'],
    [{ cases: [{ name: 'a', request: {}, expect: 'deny' }] }, 'cases[0].request: needs an action'],
    [{ cases: [{ name: 'a', request: { action: 'b' }, expect: 'maybe' }] }, 'cases[0].expect.effect'],
    [{ cases: [{ name: 'a', request: { action: 'b', risk: 'huge' }, expect: 'deny' }] }, 'cases[0].request.risk'],
    [{ cases: [{ name: 'a', request: { action: 'b', at: 'soon' }, expect: 'deny' }] }, 'cases[0].request.at'],
    [{ cases: [{ name: 'a', request: { actions: 'b' }, expect: 'deny' }] }, 'has no field actions'],
    [{ cases: [{ name: 'a', request: { action: 'b', env: { stages: 1 } }, expect: 'deny' }] }, 'has no field stages'],
  ])('say where they cannot be read: %j', (file, problem) => {
    expect(() => readCases(file, NOW)).toThrow(problem)
  })
})

describe('backtest', () => {
  it('counts what would have come out, and tells what would be otherwise', () => {
    const [destroy, elsewhere, get] = readCases(FILE, NOW).map(({ request }) => request)
    const recorded = [
      { decision_id: '1', request: destroy!, effect: 'allow' as const },
      { decision_id: '2', request: elsewhere!, effect: 'require_approval' as const },
      { decision_id: '3', request: get!, effect: 'allow' as const },
      { decision_id: '4', request: null, effect: 'deny' as const },
    ]
    expect(backtest(policies, recorded)).toMatchObject({
      decisions: 4,
      unknown: 1,
      was: { allow: 2, deny: 0, require_approval: 1 },
      would: { allow: 1, deny: 1, require_approval: 1 },
      flipped: 1,
      flips: [{ decision_id: '1', was: 'allow', would: 'deny', rule: 'no-destroy' }],
    })
  })

  it('asks policies that only record as if they were enforced', () => {
    const only = policies.map((policy) => ({ ...policy, enforced: false }))
    const [destroy] = readCases(FILE, NOW).map(({ request }) => request)
    expect(backtest(only, [{ decision_id: '1', request: destroy!, effect: 'allow' }]).would.deny).toBe(1)
  })
})
