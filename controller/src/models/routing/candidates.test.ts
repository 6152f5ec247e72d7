import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelRouteSpec } from '../../kinds/model-route/model-route.schema.ts'
import type { ModelRequest } from '../request.ts'
import { routeRequest } from './candidates.ts'
import type { ProviderView, RoutingView } from './view.ts'

const provider = (name: string, more: Partial<ProviderView> = {}): ProviderView => ({
  name,
  uid: name,
  spec: { type: 'ollama' },
  class: 'local',
  priority: 100,
  fallbackOnly: false,
  models: [{ name: `${name}-model` }],
  suspended: false,
  prices: () => ({ input: 0n, output: 0n }),
  ...more,
})
const cloud = (name: string, more: Partial<ProviderView> = {}) =>
  provider(name, { class: 'cloud', prices: () => ({ input: 3n * 10n ** 9n, output: 15n * 10n ** 9n }), ...more })

const view = (providers: ProviderView[], spec: ModelRouteSpec | null = null, more: object = {}): RoutingView => ({
  providers: new Map(providers.map((one) => [one.name, one])),
  environment: { stage: 'dev', provider: null, model: null, ...more },
  route: spec === null ? null : { name: 'default', spec },
})

const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  asker: {
    namespace: 'default',
    actor: 'user:ada',
    correlationId: 'c',
    agent: null,
    agentClass: null,
    run: null,
    blueprint: null,
    step: null,
    stepId: null,
    taskId: null,
    turn: null,
    revision: null,
  },
  system: null,
  messages: [{ role: 'user', text: 'Say ok.' }],
  tools: [],
  outputSchema: null,
  maxTokens: null,
  temperature: null,
  route: null,
  provider: null,
  model: null,
  taskClass: null,
  complexity: 'low',
  privacy: 'any',
  maxNanoUsd: null,
  urgency: 5,
  withoutMoney: 'fail',
  ...more,
})

const names = (made: ReturnType<typeof routeRequest>) =>
  made.candidates.map(({ provider: { name }, model }) => `${name}/${model}`)

test('without a route, local comes before cloud, then the priority decides, then the name', () => {
  const made = routeRequest(
    request(),
    view([
      cloud('a', { priority: 1 }),
      provider('c', { priority: 2 }),
      provider('b', { priority: 2 }),
      provider('d', { priority: 1 }),
    ]),
    0,
  )
  expect(names(made)).toEqual(['d/d-model', 'b/b-model', 'c/c-model', 'a/a-model'])
})

test('one that is for fallback only comes last, unless it was named', () => {
  const all = view([provider('a', { fallbackOnly: true }), cloud('b')])
  expect(names(routeRequest(request(), all, 0))).toEqual(['b/b-model', 'a/a-model'])
  expect(names(routeRequest(request({ provider: 'a' }), all, 0))).toEqual(['a/a-model'])
})

test('the layer of the model fits the complexity', () => {
  const layered = provider('a', {
    models: [
      { name: 'small', layer: 'operational' },
      { name: 'middle', layer: 'tactical' },
      { name: 'large', layer: 'strategic' },
    ],
  })
  for (const [complexity, model] of [
    ['low', 'small'],
    ['medium', 'middle'],
    ['high', 'large'],
  ] as const)
    expect(names(routeRequest(request({ complexity }), view([layered]), 0))).toEqual([`a/${model}`])
  const two = provider('a', {
    models: [
      { name: 'small', layer: 'operational' },
      { name: 'middle', layer: 'tactical' },
    ],
  })
  expect(names(routeRequest(request({ complexity: 'high' }), view([two]), 0))).toEqual(['a/middle'])
})

describe('rules', () => {
  const providers = [provider('local'), cloud('claude'), cloud('gpt')]
  const rule = (match: object, name: string) => ({ match, backendRefs: [{ provider: name }] })
  const spec = {
    rules: [
      rule({ taskClass: ['review'] }, 'claude'),
      rule({ complexity: ['high'], stage: ['prod'] }, 'gpt'),
      rule({ agentClass: ['worker'] }, 'local'),
      rule({ privacy: ['localOnly'] }, 'local'),
      rule({ maxUsd: '0.01' }, 'local'),
      { backendRefs: [{ provider: 'gpt' }] },
    ],
  } as unknown as ModelRouteSpec
  const first = (more: Partial<ModelRequest>, environment = {}) =>
    names(routeRequest(request(more), view(providers, spec, environment), 0))[0]

  test.each([
    ['the task class', { taskClass: 'review' }, {}, 'claude/claude-model'],
    ['complexity and stage together', { complexity: 'high' as const }, { stage: 'prod' }, 'gpt/gpt-model'],
    ['the class of the agent', { asker: { ...request().asker, agentClass: 'worker' } }, {}, 'local/local-model'],
    ['privacy', { privacy: 'localOnly' as const }, {}, 'local/local-model'],
    ['the price', { maxNanoUsd: 10_000_000n }, {}, 'local/local-model'],
    ['nothing given', {}, {}, 'gpt/gpt-model'],
  ])('%s decides', (_, more, environment, expected) => {
    expect(first(more, environment)).toBe(expected)
  })

  test('a route none of whose rules fits asks nobody but its fallbacks', () => {
    const none = {
      rules: [rule({ taskClass: ['x'] }, 'claude')],
      fallbacks: [{ provider: 'local', on: ['error'] }],
    } as unknown as ModelRouteSpec
    expect(names(routeRequest(request(), view(providers, none), 0))).toEqual(['local/local-model'])
  })

  test('the order is by priority, by price, or as listed', () => {
    const backendRefs = [{ provider: 'gpt' }, { provider: 'claude' }, { provider: 'local' }]
    const cheap = [
      provider('local', { prices: () => ({ input: 9n ** 20n, output: 0n }) }),
      cloud('claude'),
      cloud('gpt', { prices: () => ({ input: 1n, output: 1n }) }),
    ]
    const by = (order: 'priority' | 'price' | 'listed') =>
      names(routeRequest(request(), view(cheap, { rules: [{ backendRefs, order }] } as ModelRouteSpec), 0)).map(
        (one) => one.split('/')[0],
      )
    expect(by('priority')).toEqual(['local', 'claude', 'gpt'])
    expect(by('price')).toEqual(['gpt', 'claude', 'local'])
    expect(by('listed')).toEqual(['gpt', 'claude', 'local'])
  })

  test('with weights chance decides who is first, by their shares, and weight 0 is never first', () => {
    const backendRefs = [
      { provider: 'claude', weight: 3 },
      { provider: 'gpt', weight: 1 },
      { provider: 'local', weight: 0 },
    ]
    const weighted = view(providers, { rules: [{ backendRefs }] } as ModelRouteSpec)
    const at = (chance: number) => names(routeRequest(request(), weighted, chance))[0]!.split('/')[0]
    expect([at(0), at(0.74), at(0.75), at(0.999)]).toEqual(['claude', 'claude', 'gpt', 'gpt'])
    fc.assert(fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), (chance) => at(chance) !== 'local'))
  })
})

describe('precedence', () => {
  const providers = [provider('local'), cloud('claude', { models: [{ name: 'sonnet' }] }), cloud('gpt', { models: [] })]
  const spec = {
    rules: [{ backendRefs: [{ provider: 'local' }] }],
    fallbacks: [{ provider: 'claude', model: 'sonnet' }],
  } as unknown as ModelRouteSpec

  test('the environment comes before the request, and with a provider nobody else is asked', () => {
    const made = routeRequest(
      request({ provider: 'local', model: 'x' }),
      view(providers, spec, { provider: 'gpt', model: 'gpt-4o' }),
      0,
    )
    expect(names(made)).toEqual(['gpt/gpt-4o'])
    expect(made.candidates[0]!.by).toBe('environment')
  })

  test('the request comes before the route; the fallbacks of the route stand behind it', () => {
    expect(names(routeRequest(request({ provider: 'gpt', model: 'gpt-4o' }), view(providers, spec), 0))).toEqual([
      'gpt/gpt-4o',
      'claude/sonnet',
    ])
  })

  test('a model that was named goes to providers that have it, or that list none', () => {
    const made = routeRequest(request({ model: 'sonnet' }), view(providers), 0)
    expect(names(made)).toEqual(['claude/sonnet', 'gpt/sonnet'])
    expect(made.skipped).toEqual([{ provider: 'local', model: 'sonnet', why: 'it does not have that model' }])
  })

  test('a model of the environment takes the place of any other', () => {
    expect(names(routeRequest(request({ model: 'x' }), view(providers, null, { model: 'sonnet' }), 0))).toContain(
      'claude/sonnet',
    )
  })
})

describe('who is not asked', () => {
  const why = (one: ProviderView, more: Partial<ModelRequest> = {}) =>
    routeRequest(request(more), view([one]), 0).skipped[0]?.why

  test.each([
    ['suspended', provider('a', { suspended: true }), {}, /suspended/],
    ['in the cloud, when the text stays here', cloud('a'), { privacy: 'localOnly' as const }, /local providers alone/],
    ['without a model', provider('a', { models: [] }), {}, /lists no model/],
    ['without a price', cloud('a', { prices: () => null }), {}, /what it costs/],
    [
      'with too short a context',
      provider('a', { models: [{ name: 'm', contextLength: 256 }] }),
      { system: 'x'.repeat(2000) },
      /do not fit/,
    ],
    ['dearer than the request may be', cloud('a'), { maxNanoUsd: 1n }, /may cost more/],
  ])('%s', (_, one, more, expected) => {
    expect(why(one, more)).toMatch(expected)
  })

  test('one that is not there', () => {
    expect(routeRequest(request({ provider: 'nobody' }), view([]), 0).skipped).toEqual([
      { provider: 'nobody', model: null, why: 'there is no such ModelProvider' },
    ])
  })

  test('nobody in the cloud is ever asked what has to stay here, whatever the route says', () => {
    const one = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), isLocal: fc.boolean() })
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 4 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.boolean(),
        (drawn, chance, weighted) => {
          const providers = drawn.map(({ name, isLocal }) => (isLocal ? provider(name) : cloud(name)))
          const refs = ['a', 'b', 'c', 'd'].map((name, i) => ({ provider: name, ...(weighted ? { weight: i } : {}) }))
          const spec = { rules: [{ backendRefs: refs }], fallbacks: [{ provider: 'a' }] } as unknown as ModelRouteSpec
          const made = routeRequest(request({ privacy: 'localOnly' }), view(providers, spec), chance)
          return made.candidates.every((candidate) => candidate.provider.class === 'local')
        },
      ),
    )
  })
})
