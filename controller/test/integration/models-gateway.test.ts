import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import { parseUsd } from '../../src/lib/usd.ts'
import type { GatewayAnswer } from '../../src/models/gateway-answer.ts'
import { endOrphans } from '../../src/models/orphans.ts'
import { readEvents } from '../../src/store/log.ts'
import { sumCosts } from '../../src/store/queries/costs.ts'
import { pageModelCalls, putModelCall } from '../../src/store/queries/model-calls.ts'
import { transact } from '../../src/store/transact.ts'
import { declareBudget, standing } from '../support/budget-stack.ts'
import { createTestDatabase, createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import { ASKER, ask, modelStack } from '../support/model-stack.ts'
import { countRoundTrips } from '../support/round-trips.ts'

const free = new AbortController().signal
const ALL = {
  namespace: null,
  provider: null,
  agent: null,
  runId: null,
  taskId: null,
  state: null,
  after: null,
  limit: 100,
}
const usd = (text: string) => parseUsd(text)!
/** 1 USD a token, so that sums are easy. */
const DEAR = { inputPerMTok: '1000', outputPerMTok: '1000' }
const said = (text: string, more: object = {}) => ({
  reply: { text, usage: { inputTokens: 10, outputTokens: 5 }, ...more },
})

describe('the gateway to models', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(() => store.end())

  const code = async (promise: Promise<GatewayAnswer>): Promise<string> =>
    promise.then(
      () => 'answered',
      (error: { ref?: string }) => error.ref ?? String(error),
    )

  it('a call that costs something is refused without any budget', async () => {
    const stack = modelStack(store)
    stack.provider('paid', {
      type: 'scripted',
      pricing: DEAR,
      models: [{ name: 'm', maxTokens: 10 }],
      script: [said('hi')],
    })
    expect(
      await code(stack.gateway.invoke(ask('x', { asker: { ...ASKER, namespace: 'poor' } }), { signal: free })),
    ).toBe('SW_OVER_BUDGET')
  })

  it('money is kept before, charged by what was used after, and the ledger has the tokens by model', async () => {
    const account = await declareBudget(store, {
      name: 'rich',
      namespace: 'rich',
      scope: { kind: 'Environment', name: 'rich' },
      max: '10',
      thresholds: [],
    })
    const stack = modelStack(store)
    stack.provider('paid', {
      type: 'scripted',
      pricing: DEAR,
      models: [{ name: 'm', maxTokens: 10 }],
      script: [said('hi')],
    })
    const answer = await stack.gateway.invoke(ask('x', { asker: { ...ASKER, namespace: 'rich' } }), { signal: free })
    expect(answer).toMatchObject({
      text: 'hi',
      providerType: 'scripted',
      costNanoUsd: usd('0.015'),
      usage: { inputTokens: 10, outputTokens: 5 },
    })
    expect(await standing(store, account)).toEqual({ used: usd('0.015'), reserved: 0n })
    const filter = { namespace: 'rich', project: null, agent: null, model: null, since: null, until: null }
    expect(await sumCosts(store.reader, filter, ['provider', 'model'], 10)).toEqual([
      { group: ['paid', 'm'], amount: usd('0.015'), tokens: 15, input_tokens: 10, output_tokens: 5, count: 1 },
    ])
    const [event] = (await readEvents(store.reader, { after: 0, limit: 1000 }))
      .filter(({ event_name }) => event_name === 'stateward.model.call.completed')
      .slice(-1)
    expect(event!.data).toMatchObject({
      provider: 'paid',
      provider_type: 'scripted',
      cost_usd: '0.015',
      usage: 'reported',
    })
    await stack.gateway.settled()
    expect(stack.texts.map(({ kind }) => kind)).toEqual(['prompt', 'response'])
  })

  it('a provider that does not say what was used is charged all that was kept, and that is marked', async () => {
    const account = await declareBudget(store, {
      name: 'mute',
      namespace: 'mute',
      scope: { kind: 'Environment', name: 'mute' },
      max: '10',
      thresholds: [],
    })
    const stack = modelStack(store)
    stack.provider('paid', {
      type: 'scripted',
      pricing: DEAR,
      models: [{ name: 'm', maxTokens: 10 }],
      script: [{ reply: { text: 'hi', reportsNoUsage: true } }],
    })
    const answer = await stack.gateway.invoke(ask('x', { asker: { ...ASKER, namespace: 'mute' } }), { signal: free })
    expect(answer.usage).toBeNull()
    const kept = (await standing(store, account))!
    expect(kept.reserved).toBe(0n)
    expect(kept.used).toBe(answer.costNanoUsd)
    expect(kept.used).toBeGreaterThan(usd('0.01'))
    const [row] = await pageModelCalls(store.reader, { ...ALL, namespace: 'mute' })
    expect(row).toMatchObject({ usage: 'unknown', state: 'completed' })
    const sums = await sumCosts(
      store.reader,
      { namespace: 'mute', project: null, agent: null, model: null, since: null, until: null },
      ['usage'],
      10,
    )
    expect(sums[0]!.group).toEqual(['unknown'])
  })

  it('a provider whose own budget is used up is passed over; what others share ends the request, or lets it wait', async () => {
    const asker = { ...ASKER, namespace: 'shared' }
    await declareBudget(store, {
      name: 'shared',
      namespace: 'shared',
      scope: { kind: 'Environment', name: 'shared' },
      max: '0.1',
      thresholds: [],
    })
    await declareBudget(store, {
      name: 'of-dear',
      namespace: 'shared',
      scope: { kind: 'ModelProvider', name: 'dear' },
      max: '0.001',
      thresholds: [],
    })
    const stack = modelStack(store)
    const models = [{ name: 'm', maxTokens: 10 }]
    stack.provider('dear', { type: 'scripted', priority: 1, pricing: DEAR, models, script: [said('dear')] })
    stack.provider('next', { type: 'scripted', priority: 2, pricing: DEAR, models, script: [said('next')] })
    const answer = await stack.gateway.invoke(ask('x', { asker }), { signal: free })
    expect(answer).toMatchObject({ provider: 'next', failures: [{ provider: 'dear', cause: 'budget' }] })
    for (let i = 0; i < 3; i++) await stack.gateway.invoke(ask('x', { asker }), { signal: free }).catch(() => undefined)
    const all = Array.from({ length: 6 }, () => code(stack.gateway.invoke(ask('x', { asker }), { signal: free })))
    expect(await Promise.all(all)).toContain('SW_OVER_BUDGET')
    const waits: string[] = []
    const waiting = stack.gateway.invoke(ask('x'.repeat(300), { asker, withoutMoney: 'wait' }), {
      signal: free,
      onWait: (why) => waits.push(why),
    })
    await expect.poll(() => waits.length).toBeGreaterThan(0)
    await declareBudget(store, {
      name: 'shared',
      namespace: 'shared',
      scope: { kind: 'Environment', name: 'shared' },
      max: '5',
      thresholds: [],
    })
    expect((await waiting).text).toBe('next')
  })

  it('calls beyond the limit of a minute wait in a queue', async () => {
    const stack = modelStack(store)
    stack.provider('limited', {
      type: 'scripted',
      rateLimit: { requestsPerMinute: 2 },
      models: [{ name: 'm' }],
      script: [said('hi')],
    })
    const waits: Date[] = []
    const stop = new AbortController()
    const answers = await Promise.all([1, 2].map(() => stack.gateway.invoke(ask('x'), { signal: free })))
    expect(answers).toHaveLength(2)
    const third = stack.gateway.invoke(ask('x'), { signal: stop.signal, onWait: (_, until) => waits.push(until) })
    await expect.poll(() => waits.length).toBe(1)
    expect(waits[0]!.getTime() - Date.now()).toBeGreaterThan(50_000)
    stop.abort(new Error('enough'))
    await expect(third).rejects.toThrow('enough')
  })

  it('the breaker of a provider opens by failures, and the next backend is asked at once', async () => {
    const stack = modelStack(store)
    stack.provider('bad', {
      type: 'scripted',
      priority: 1,
      breaker: { failures: 2, cooldown: '10m' },
      models: [{ name: 'm' }],
      script: [{ reply: { error: { status: 500, message: 'broken' } } }],
    })
    stack.provider('good', { type: 'scripted', priority: 2, models: [{ name: 'm' }], script: [said('hi')] })
    const messages: string[] = []
    for (let i = 0; i < 4; i++) {
      const answer = await stack.gateway.invoke(ask('x'), { signal: free })
      expect(answer.provider).toBe('good')
      messages.push(answer.failures[0]!.message)
    }
    expect(messages[0]).toContain('500')
    expect(messages[3]).toContain('breaker modelprovider:bad is open')
    expect(await pageModelCalls(store.reader, { ...ALL, provider: 'bad' })).toHaveLength(2)
  })

  it('a provider that policies deny is passed over', async () => {
    const stack = modelStack(store, {
      gate: async ({ provider }) => {
        if (provider === 'denied') throw fail('SW_DENIED_BY_POLICY', 'not this one')
      },
    })
    stack.provider('denied', { type: 'scripted', priority: 1, models: [{ name: 'm' }], script: [said('no')] })
    expect(await code(stack.gateway.invoke(ask('x'), { signal: free }))).toBe('SW_DENIED_BY_POLICY')
    stack.provider('allowed', { type: 'scripted', priority: 2, models: [{ name: 'm' }], script: [said('yes')] })
    expect((await stack.gateway.invoke(ask('x'), { signal: free })).text).toBe('yes')
  })

  it('a fallback is asked only for the causes it names', async () => {
    const stack = modelStack(store)
    const models = [{ name: 'm' }]
    stack.provider('first', {
      type: 'scripted',
      models,
      script: [
        { match: { lastMessage: 'limit' }, reply: { error: { status: 429, message: 'slow down' } } },
        { reply: { error: { status: 500, message: 'broken' } } },
      ],
    })
    stack.provider('on-limit', { type: 'scripted', models, script: [said('limited')] })
    stack.provider('on-error', { type: 'scripted', models, script: [said('failed')] })
    stack.route({
      rules: [{ backendRefs: [{ provider: 'first' }] }],
      fallbacks: [
        { provider: 'on-limit', on: ['rateLimit'] },
        { provider: 'on-error', on: ['error', 'timeout'] },
      ],
    } as never)
    expect((await stack.gateway.invoke(ask('limit me'), { signal: free })).text).toBe('limited')
    expect((await stack.gateway.invoke(ask('fail'), { signal: free })).text).toBe('failed')
  })

  it('when nobody answers, the error says what each said', async () => {
    const stack = modelStack(store)
    expect(await code(stack.gateway.invoke(ask('x'), { signal: free }))).toBe('SW_NO_MODEL')
    const script = [{ reply: { error: { status: 503, message: 'away' } } }]
    stack.provider('a', { type: 'scripted', models: [{ name: 'm' }], script })
    stack.provider('b', { type: 'scripted', models: [{ name: 'm' }], script })
    await expect(stack.gateway.invoke(ask('x'), { signal: free })).rejects.toMatchObject({
      ref: 'SW_MODELS_FAILED',
      message: expect.stringMatching(/a\/m: 503: away; b\/m: 503: away/),
    })
  })

  it('one that is busy lets the most urgent in first', async () => {
    const stack = modelStack(store)
    stack.provider('one', {
      type: 'scripted',
      concurrency: 1,
      models: [{ name: 'm' }],
      script: [{ reply: { text: '{{1}}', delay: '30ms' }, match: { lastMessage: '(\\w+)' } }],
    })
    const order: string[] = []
    const all = [
      ['late', 9],
      ['busy', 5],
      ['urgent', 1],
    ].map(async ([name, urgency], i) => {
      await new Promise((resolve) => setTimeout(resolve, i === 0 ? 0 : 5))
      const { text } = await stack.gateway.invoke(ask(String(name), { urgency: Number(urgency) }), { signal: free })
      order.push(text)
    })
    await Promise.all(all)
    expect(order).toEqual(['late', 'urgent', 'busy'])
  })

  it('a call whose process went away ends as unknown, and what was kept for it is charged', async () => {
    const account = await declareBudget(store, {
      name: 'lost',
      namespace: 'lost',
      scope: { kind: 'Environment', name: 'lost' },
      max: '10',
      thresholds: [],
    })
    const stack = modelStack(store)
    stack.provider('paid', {
      type: 'scripted',
      pricing: DEAR,
      models: [{ name: 'm', maxTokens: 10 }],
      script: [{ reply: { text: 'hi', delay: '10m' } }],
    })
    const stop = new AbortController()
    const call = stack.gateway
      .invoke(ask('x', { asker: { ...ASKER, namespace: 'lost' } }), { signal: stop.signal })
      .catch(() => undefined)
    const begun = () => pageModelCalls(store.reader, { ...ALL, namespace: 'lost', state: 'begun' })
    await expect.poll(async () => (await begun()).length).toBe(1)
    const [row] = await begun()
    const { reserved } = (await standing(store, account))!
    expect(reserved).toBeGreaterThan(0n)
    await transact(store, (tx) => putModelCall(tx, { ...row!, writer: '00000000-0000-7000-8000-000000000000' }))
    expect(await endOrphans(store)).toBe(1)
    expect(await standing(store, account)).toEqual({ used: reserved, reserved: 0n })
    expect((await pageModelCalls(store.reader, { ...ALL, namespace: 'lost' }))[0]).toMatchObject({
      state: 'failed',
      cause: 'lost',
      usage: 'unknown',
      cost: reserved,
    })
    stop.abort(new Error('done'))
    await call
  })
})

describe('what a call waits for of the database', () => {
  it('is one answer when it is free, and one before and one after when it has a price and a limit', async () => {
    const database = await createTestDatabase()
    const way = await countRoundTrips(database.urls.directUrl)
    const store = await openTestStore({ ...database, urls: { ...database.urls, directUrl: way.url } })
    await declareBudget(store, { max: '1000', thresholds: [] })
    const stack = modelStack(store)
    const script = [said('hi')]
    stack.provider('free', { type: 'scripted', models: [{ name: 'm' }], script })
    const limited = { rateLimit: { requestsPerMinute: 1000, tokensPerMinute: 1_000_000 } }
    const pricing = { inputPerMTok: 1, outputPerMTok: 1 }
    stack.provider('paid', { type: 'scripted', models: [{ name: 'm' }], script, pricing, ...limited })
    /** The fewest of some calls: the process has other business with its database, too. */
    const fewest = async (provider: string): Promise<number> => {
      const counts: number[] = []
      for (let i = 0; i < 10; i++) {
        const before = way.count()
        await stack.gateway.invoke(ask('x', { provider, model: 'm' }), { signal: free })
        counts.push(way.count() - before)
      }
      return Math.min(...counts)
    }
    expect(await fewest('free')).toBe(1)
    expect(await fewest('paid')).toBe(2)
    await store.end()
    await way.close()
    await database.drop()
  })
})
