import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompiledPolicy, compilePolicy, type PolicyVersion } from './compile.ts'
import { evaluate } from './evaluate.ts'
import type { PolicyRequest } from './request.ts'
import type { RuleSpec } from './rule.ts'
import { type DecisionEffect, WEIGHT } from './verdict.ts'

const REQUEST: PolicyRequest = {
  point: 'tool_call',
  action: 'infra.apply',
  subject: { principal: 'user:ada', roles: ['operator', 'viewer'], teams: ['platform'], lineage: [] },
  resource: { type: 'tool', namespace: 'prod', name: 'infra.apply', labels: { tier: 'gold' } },
  env: { id: 'prod-eu', stage: 'prod', class: 'product' },
  risk: 'high',
  data: {},
  // A Friday, 11:30 in Berlin.
  at: new Date('2026-11-20T10:30:45Z'),
}

type Mode = NonNullable<PolicyVersion['spec']['evaluationMode']>

function policy(
  rules: readonly RuleSpec[],
  evaluationMode: Mode = 'first_match',
  more: Partial<PolicyVersion['spec']> & { readonly name?: string } = {},
): CompiledPolicy {
  const { name = 'p', ...spec } = more
  return compilePolicy({ namespace: 'prod', name, version: 3, spec: { rules: [...rules], evaluationMode, ...spec } })
}

const rule = (id: string, effect: DecisionEffect, more: Partial<RuleSpec> = {}): RuleSpec => ({ id, effect, ...more })
const ask = (policies: readonly CompiledPolicy[], more: Partial<PolicyRequest> = {}) =>
  evaluate(policies, { ...REQUEST, ...more })

describe('what a rule is about', () => {
  const fits = (match: RuleSpec['match'], more: Partial<PolicyRequest> = {}) =>
    ask([policy([rule('r', 'deny', { match: match! })])], more).effect === 'deny'

  it('is everything when it says nothing', () => {
    expect(fits({})).toBe(true)
  })

  it.each([
    ['the action', { action: 'infra.apply' }, { action: 'infra.destroy' }],
    ['a glob of the action', { action: 'infra.*' }, { action: 'other.*' }],
    ['the stage', { stage: 'prod' }, { stage: 'dev' }],
    ['any stage', { stage: 'any' }, { stage: 'test' }],
    ['the type of the resource, in any case', { resourceType: 'Tool' }, { resourceType: 'blueprint' }],
    ['the environment', { envId: 'prod-eu' }, { envId: 'prod-us' }],
    ['any environment', { envId: 'any' }, { envId: 'x' }],
    ['the risk', { risk: 'high' }, { risk: 'low' }],
    ['a role, however it is written', { subjects: ['role:Operator'] }, { subjects: ['role:OwnerAdmin'] }],
    ['a team', { subjects: ['team:platform'] }, { subjects: ['team:web'] }],
    ['a person', { subjects: ['user:ada'] }, { subjects: ['user:bob'] }],
    ['a principal without its word', { subjects: ['principal:ada'] }, { subjects: ['principal:bob'] }],
    [
      'an expression',
      { expression: "resource.labels.tier == 'gold'" },
      { expression: "resource.labels.tier == 'silver'" },
    ],
    [
      'an expression with an optional key',
      { expression: "resource.labels.?zone.orValue('eu') == 'eu'" },
      { expression: "resource.labels.?zone.orValue('eu') == 'us'" },
    ],
  ] as const)('can be %s', (_, yes, no) => {
    expect(fits(yes as RuleSpec['match'])).toBe(true)
    expect(fits(no as RuleSpec['match'])).toBe(false)
  })

  it('is the same action by another name', () => {
    expect(fits({ action: 'terraform.apply' }, { aliases: ['terraform.apply'] })).toBe(true)
    expect(fits({ action: 'terraform.apply' }, { aliases: [] })).toBe(false)
  })

  it('is an agent of the namespace of the policy', () => {
    const subject = { principal: 'agent:prod/sre', roles: ['agent'], teams: [], lineage: [] }
    expect(fits({ subjects: ['agent:sre'] }, { subject })).toBe(true)
    expect(fits({ subjects: ['agent:sre'] }, { subject: { ...subject, principal: 'agent:dev/sre' } })).toBe(false)
  })
})

describe('an expression that cannot be evaluated', () => {
  it.each([
    ['reads a key that is missing', 'resource.labels.zone == "eu"'],
    ['is no boolean', 'resource.labels.tier'],
    ['compares what cannot be compared', 'data.count > "a"'],
  ])('denies when it %s, even where the rule would allow', (_, expression) => {
    for (const mode of ['first_match', 'deny_overrides', 'collect_requirements'] as const) {
      const verdict = ask([policy([rule('r', 'allow', { match: { expression } })], mode)], { data: { count: 1 } })
      expect(verdict).toMatchObject({ effect: 'deny', rule: 'r', reason: expect.stringContaining(expression) })
    }
  })

  it('is not reached when something else does not fit', () => {
    const rules = [rule('r', 'allow', { match: { stage: 'dev', expression: 'resource.labels.zone == "eu"' } })]
    expect(ask([policy(rules)])).toMatchObject({ effect: 'allow', policy: null })
  })
})

describe('requirements', () => {
  it('turn an allow that asks for approvals into a require_approval', () => {
    const rules = [rule('r', 'allow', { requirements: { approvals: { min: 2, fromAnyOf: ['role:OwnerAdmin'] } } })]
    expect(ask([policy(rules)])).toMatchObject({
      effect: 'require_approval',
      reason: 'needs 2 approvals of role:OwnerAdmin',
      requirements: { approvals: [{ min: 2, fromAnyOf: ['role:OwnerAdmin'] }] },
    })
  })

  it('ask for one approval of anybody when a rule says no more', () => {
    expect(ask([policy([rule('r', 'require_approval')])]).requirements.approvals).toEqual([{ min: 1, fromAnyOf: [] }])
  })

  it('deny where tests are required and none have passed', () => {
    const rules = [rule('r', 'allow', { requirements: { testsRequired: true } })]
    expect(ask([policy(rules)])).toMatchObject({ effect: 'deny', rule: 'r', requirements: { testsRequired: true } })
    expect(ask([policy(rules)], { data: { tests_passed: true } }).effect).toBe('allow')
    expect(ask([policy(rules)], { data: { tests_passed: 'yes' } }).effect).toBe('deny')
  })

  it('deny outside of the time window, which is read in its time zone', () => {
    const timeWindow = { schedule: '* 9-17 * * 1-5', timeZone: 'Europe/Berlin' }
    const policies = [policy([rule('r', 'allow', { requirements: { timeWindow } })])]
    expect(ask(policies).effect).toBe('allow')
    expect(ask(policies, { at: new Date('2026-11-20T16:59:59Z') }).effect).toBe('allow')
    expect(ask(policies, { at: new Date('2026-11-20T17:00:00Z') })).toMatchObject({
      effect: 'deny',
      requirements: { timeWindow },
    })
    expect(ask(policies, { at: new Date('2026-11-21T10:30:00Z') }).effect).toBe('deny')
  })
})

describe('several policies', () => {
  it('that are about nothing allow, and say so', () => {
    expect(ask([])).toMatchObject({ effect: 'allow', policy: null, rule: null, opinions: [] })
  })

  it('only count in their own namespace, and all for what has none', () => {
    const policies = [policy([rule('r', 'deny')])]
    expect(ask(policies, { resource: { ...REQUEST.resource, namespace: 'dev' } }).effect).toBe('allow')
    expect(ask(policies, { resource: { ...REQUEST.resource, namespace: null } }).effect).toBe('deny')
  })

  it('that only record what they would decide decide nothing', () => {
    const verdict = ask([policy([rule('r', 'deny')], 'first_match', { enforcement: 'evaluate_only' })])
    expect(verdict).toMatchObject({ effect: 'allow', policy: null, advisory: [{ effect: 'deny', rule: 'r' }] })
  })

  it('that ask for approvals have to be satisfied all', () => {
    const asking = (name: string, who: string) =>
      policy(
        [rule('r', 'require_approval', { requirements: { approvals: { min: 1, fromAnyOf: [who] } } })],
        undefined,
        {
          name,
        },
      )
    const verdict = ask([asking('a', 'team:x'), asking('b', 'team:y'), policy([rule('ok', 'allow')])])
    expect(verdict.effect).toBe('require_approval')
    expect(verdict.policy).toEqual({ namespace: 'prod', name: 'a', version: 3 })
    expect(verdict.requirements.approvals).toEqual([
      { min: 1, fromAnyOf: ['team:x'] },
      { min: 1, fromAnyOf: ['team:y'] },
    ])
    expect(verdict.opinions).toHaveLength(3)
  })
})

/** Rules with ids r0, r1 …, of which some are about the request. */
const anyRules = fc
  .array(
    fc.record({
      effect: fc.constantFrom<DecisionEffect>('allow', 'deny', 'require_approval'),
      priority: fc.nat(5),
      fits: fc.boolean(),
      approvals: fc.option(
        fc.record({ min: fc.integer({ min: 1, max: 5 }), fromAnyOf: fc.subarray(['role:a', 'role:b', 'team:c']) }),
        { nil: undefined },
      ),
      testsRequired: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((rules) =>
    rules.map(({ effect, priority, fits, approvals, testsRequired }, i) => ({
      fits,
      spec: {
        id: `r${i}`,
        effect,
        priority,
        match: { action: fits ? 'infra.*' : 'other.*' },
        requirements: { testsRequired, ...(approvals === undefined ? {} : { approvals }) },
      } satisfies RuleSpec,
    })),
  )

/** What a rule comes to by itself, in words of its specification. */
function alone({ effect, requirements }: RuleSpec, tests: boolean): DecisionEffect {
  if (effect !== 'deny' && requirements?.testsRequired === true && !tests) return 'deny'
  return effect === 'allow' && requirements?.approvals !== undefined ? 'require_approval' : effect
}

const data = (tests: boolean) => ({ data: { tests_passed: tests } })

describe('the modes, of any rules', () => {
  it('first_match: the rule of the lowest priority that fits decides alone', () => {
    fc.assert(
      fc.property(anyRules, fc.boolean(), (rules, tests) => {
        const first = rules.filter(({ fits }) => fits).sort((a, b) => a.spec.priority - b.spec.priority)[0]?.spec
        const verdict = ask([policy(rules.map(({ spec }) => spec))], data(tests))
        expect(verdict.rule).toBe(first?.id ?? null)
        expect(verdict.effect).toBe(first === undefined ? 'allow' : alone(first, tests))
      }),
    )
  })

  it('deny_overrides: the strongest effect wins, whatever the order', () => {
    fc.assert(
      fc.property(anyRules, fc.boolean(), (rules, tests) => {
        const effects = rules.filter(({ fits }) => fits).map(({ spec }) => alone(spec, tests))
        const strongest = effects.reduce<DecisionEffect>((a, b) => (WEIGHT[b] > WEIGHT[a] ? b : a), 'allow')
        const specs = rules.map(({ spec }) => spec)
        expect(ask([policy(specs, 'deny_overrides')], data(tests)).effect).toBe(strongest)
        expect(ask([policy(specs.toReversed(), 'deny_overrides')], data(tests)).effect).toBe(strongest)
      }),
    )
  })

  it('collect_requirements: the highest number of approvals, of anybody named, with tests if one wants them', () => {
    fc.assert(
      fc.property(anyRules, fc.boolean(), (rules, tests) => {
        const fitting = rules.filter(({ fits }) => fits).map(({ spec }) => spec)
        const verdict = ask(
          [
            policy(
              rules.map(({ spec }) => spec),
              'collect_requirements',
            ),
          ],
          data(tests),
        )
        const needsTests = fitting.some(({ requirements }) => requirements.testsRequired)
        expect(verdict.requirements.testsRequired).toBe(needsTests)
        const denied = fitting.some(({ effect }) => effect === 'deny') || (needsTests && !tests)
        if (denied) {
          expect(verdict.effect).toBe('deny')
          return
        }
        const asked = fitting.flatMap(({ effect, requirements: { approvals } }) =>
          approvals !== undefined ? [approvals] : effect === 'require_approval' ? [{ min: 1, fromAnyOf: [] }] : [],
        )
        expect(verdict.effect).toBe(asked.length > 0 ? 'require_approval' : 'allow')
        expect(verdict.requirements.approvals).toEqual(
          asked.length === 0
            ? []
            : [
                {
                  min: Math.max(...asked.map(({ min }) => min)),
                  fromAnyOf: [...new Set(asked.flatMap(({ fromAnyOf }) => fromAnyOf))].sort(),
                },
              ],
        )
      }),
    )
  })

  it('a policy that is added never makes a verdict milder', () => {
    fc.assert(
      fc.property(fc.array(anyRules, { maxLength: 4 }), anyRules, fc.boolean(), (others, added, tests) => {
        const compiled = [...others, added].map((rules, i) =>
          policy(
            rules.map(({ spec }) => spec),
            i % 2 === 0 ? 'first_match' : 'collect_requirements',
            { name: `p${i}` },
          ),
        )
        const before = ask(compiled.slice(0, -1), data(tests))
        const after = ask(compiled, data(tests))
        expect(WEIGHT[after.effect]).toBeGreaterThanOrEqual(WEIGHT[before.effect])
      }),
    )
  })
})
