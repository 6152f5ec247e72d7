import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { charge } from '../../src/budgets/charge.ts'
import type { BudgetKeeper } from '../../src/budgets/keeper.ts'
import { openPurse } from '../../src/budgets/purse.ts'
import { requestCancel } from '../../src/runs/cancel.ts'
import { appendEvents, readEvents } from '../../src/store/log.ts'
import { stepsOfRuns } from '../../src/store/queries/steps.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { declareBudget, keeperOf, purseOf, standing, thing, usd } from '../support/budget-stack.ts'
import {
  createTestDatabase,
  createTestStore,
  openTestStore,
  type TestDatabase,
  type TestStore,
} from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  storyOf,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'
import { SetClock } from '../support/set-clock.ts'

describe('budgets', () => {
  it('of 100 callers in three processes at once, none gets a nano-dollar more than there is', async () => {
    const database: TestDatabase = await createTestDatabase()
    const stores: Store[] = []
    try {
      for (let i = 0; i < 3; i++) stores.push(await openTestStore(database, { host: `host-${i}` }))
      const [store] = stores as [Store]
      // Of the first 33 calls fit, of the second 20, and an agent below has 7 of its own.
      const env = await declareBudget(store, { max: '1', thresholds: [] })
      const project = await declareBudget(store, {
        name: 'p',
        scope: { kind: 'Blueprint', name: 'b' },
        max: '0.6',
        thresholds: [],
      })
      const own = await declareBudget(store, {
        name: 'a',
        scope: { kind: 'Agent', name: 'sre' },
        max: '0.21',
        thresholds: [],
      })
      const purses = stores.map(openPurse)
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          purses[i % 3]!.reserve(
            thing(`r${i}`, '0.03', {
              blueprint: i % 2 === 0 ? 'b' : 'c',
              agent: i % 4 === 0 ? 'sre' : null,
            }),
          ),
        ),
      )
      const granted = answers.filter((answer) => answer.granted).length
      const all = (await standing(store, env))!
      expect(all).toEqual({ used: 0n, reserved: usd('0.03') * BigInt(granted) })
      expect(all.reserved).toBe(usd('0.99'))
      expect((await standing(store, project))!.reserved).toBeLessThanOrEqual(usd('0.6'))
      expect((await standing(store, own))!.reserved).toBeLessThanOrEqual(usd('0.21'))
      await Promise.all(
        answers.map(
          (answer, i) =>
            answer.granted && purses[i % 3]!.settle(`r${i}`, { kind: i % 3 === 0 ? 'nothing' : 'as_declared' }),
        ),
      )
      const charged = answers.filter((answer, i) => answer.granted && i % 3 !== 0).length
      expect(await standing(store, env)).toEqual({ used: usd('0.03') * BigInt(charged), reserved: 0n })
      const [sum] = await store.reader<{ total: string }[]>`SELECT sum(amount)::text AS total FROM ledger_entries`
      expect(BigInt(sum!.total)).toBe(usd('0.03') * BigInt(charged))
    } finally {
      for (const store of stores) await store.end()
      await database.drop()
    }
  }, 60_000)

  describe('as accounts', () => {
    let store: TestStore
    const clock = new SetClock('2026-11-21T12:00:00.000Z')
    beforeAll(async () => {
      store = await createTestStore({ clock })
    })
    afterAll(() => store.end())
    const named = async (name: string) =>
      (await readEvents(store.reader, { limit: 1000 })).filter(({ event_name }) => event_name === name)

    it('give nothing where there is 0, and nothing that needs one where there is none', async () => {
      const purse = openPurse(store)
      expect(await purse.reserve(thing('free', '5', { namespace: 'nowhere' }))).toEqual({ granted: true })
      expect(
        await purse.reserve({ ...thing('model', '0', { namespace: 'nowhere' }), needsBudget: true }),
      ).toMatchObject({
        granted: false,
        by: null,
      })
      await declareBudget(store, {
        name: 'none',
        namespace: 'poor',
        scope: { kind: 'Environment', name: 'poor' },
        max: '0',
      })
      for (const amount of ['0', '0.000000001'])
        expect(await purse.reserve(thing(`poor-${amount}`, amount, { namespace: 'poor' }))).toMatchObject({
          granted: false,
          by: { name: 'none', action: 'Pause' },
        })
    })

    it('count what was spent before they were declared, and what is reserved at that moment', async () => {
      const purse = openPurse(store)
      const at = { namespace: 'late', agent: 'a' }
      await purse.reserve(thing('late-1', '0.5', at))
      await purse.settle('late-1', { kind: 'as_declared' })
      await purse.reserve(thing('late-2', '0.25', at))
      const scope = { kind: 'Agent', name: 'a' } as const
      const account = await declareBudget(store, { name: 'late', namespace: 'late', scope, max: '1' })
      expect(await standing(store, account)).toEqual({ used: usd('0.5'), reserved: usd('0.25') })
      await purse.settle('late-2', { kind: 'unknown' })
      await purse.settle('late-2', { kind: 'unknown' })
      expect(await standing(store, account)).toEqual({ used: usd('0.75'), reserved: 0n })
      const unknown = await store.reader`SELECT amount, usage FROM ledger_entries WHERE reservation = 'late-2'`
      expect([...unknown]).toMatchObject([{ usage: 'unknown' }])
    })

    it('begin anew with the month, and tell of thresholds once in each', async () => {
      const purse = openPurse(store)
      const scope = { kind: 'Environment', name: 'monthly' } as const
      const account = await declareBudget(store, { name: 'monthly', namespace: 'monthly', scope, max: '1' })
      for (const n of [1, 2, 3]) {
        await purse.reserve(thing(`m${n}`, '0.32', { namespace: 'monthly' }))
        await purse.settle(`m${n}`, { kind: 'as_declared' })
      }
      const told = async () =>
        (await named('stateward.budget.threshold_reached')).flatMap(({ data }) =>
          data['budget'] === 'monthly' ? [data['percent']] : [],
        )
      expect(await told()).toEqual([80, 95])
      expect((await purse.reserve(thing('m4', '0.32', { namespace: 'monthly' }))).granted).toBe(false)
      clock.set('2026-12-01T00:00:00.000Z')
      expect((await purse.reserve(thing('m4', '0.32', { namespace: 'monthly' }))).granted).toBe(true)
      expect(await standing(store, account)).toEqual({ used: 0n, reserved: usd('0.32') })
      const eased = (await named('stateward.budget.eased')).filter(({ data }) => data['budget'] === 'monthly')
      expect(eased.map(({ data }) => data['why'])).toEqual(['window'])
    })

    it('of an agent limit those below it: a child has what is left of its parent', async () => {
      const at = clock.now()
      const agent = (name: string, spec: object) => store.reader`
        INSERT INTO objects (uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels, annotations, spec,
                             spec_digest, effective_digest, origin_file, origin_document, origin_oid, last_applied_revision, created_at)
        VALUES (gen_random_uuid(), 'Agent', 'tree', ${name}, 's', 1, 1, 1, '{}', '{}', ${store.reader.json(spec as never)}, '', '', '', 0, '', '', ${at})`
      await agent('boss', { projectRef: { name: 'web' } })
      await agent('hand', { parentRef: { name: 'boss' } })
      const scope = (kind: 'Agent' | 'Project', name: string) => ({ kind, name })
      const boss = await declareBudget(store, {
        name: 'boss',
        namespace: 'tree',
        scope: scope('Agent', 'boss'),
        max: '1',
      })
      const web = await declareBudget(store, {
        name: 'web',
        namespace: 'tree',
        scope: scope('Project', 'web'),
        max: '5',
      })
      const purse = openPurse(store)
      expect((await purse.reserve(thing('t1', '0.7', { namespace: 'tree', agent: 'boss' }))).granted).toBe(true)
      expect(await purse.reserve(thing('t2', '0.31', { namespace: 'tree', agent: 'hand' }))).toMatchObject({
        by: { name: 'boss' },
      })
      expect((await purse.reserve(thing('t3', '0.3', { namespace: 'tree', agent: 'hand' }))).granted).toBe(true)
      expect(await standing(store, boss)).toEqual({ used: 0n, reserved: usd('1') })
      expect(await standing(store, web)).toEqual({ used: 0n, reserved: usd('1') })
    })

    it('charge what is reported, first from what was kept for it', async () => {
      const scope = { kind: 'Environment', name: 'told' } as const
      const account = await declareBudget(store, { name: 'told', namespace: 'told', scope, max: '1' })
      const purse = openPurse(store)
      const run = { id: '0199aaaa-0000-7000-8000-000000000001', name: 'r', max: usd('0.9') }
      await purse.reserve(thing('told-1', '0.4', { namespace: 'told', run, step: 'ask', attempt: 1 }))
      const report = (amount: string) =>
        transact(store, async (tx) => {
          const said = {
            namespace: 'told',
            project: null,
            agent: null,
            provider: 'p',
            model: 'm',
            task_id: null,
            tool: null,
            ticket: null,
          }
          const tokens = {
            tokens: 5,
            input_tokens: 5,
            output_tokens: 0,
            note: null,
            recorded_by: 'agent:told/a',
            correlation_id: 'c',
          }
          const { events } = await charge(
            tx,
            { ...said, ...tokens, run_id: run.id, step: 'ask', amount: usd(amount), occurred_at: clock.now() },
            clock.now(),
          )
          await appendEvents(tx, store, [...events])
        })
      await report('0.3')
      expect(await standing(store, account)).toEqual({ used: usd('0.3'), reserved: usd('0.1') })
      await report('0.3')
      expect(await standing(store, account)).toEqual({ used: usd('0.6'), reserved: 0n })
      await purse.settle('told-1', { kind: 'as_reported' })
      expect(await standing(store, account)).toEqual({ used: usd('0.6'), reserved: 0n })
      expect(await standing(store, `Run/${run.id}`)).toEqual({ used: usd('0.6'), reserved: 0n })
    })
  })

  it('cannot be changed behind their back: the ledger takes no UPDATE and no DELETE', async () => {
    const store = await createTestStore()
    try {
      await openPurse(store).reserve(thing('x', '1'))
      await openPurse(store).settle('x', { kind: 'as_declared' })
      await expect(store.engine`UPDATE ledger_entries SET amount = 0`).rejects.toMatchObject({ code: '42501' })
      await expect(store.engine`DELETE FROM ledger_entries`).rejects.toMatchObject({ code: '42501' })
    } finally {
      await store.end()
    }
  })
})

describe('runs that cost something', () => {
  let store: TestStore
  let stack: RunStack
  let keeper: BudgetKeeper | null = null
  const tools = functionTools({
    paid: { run: () => ({ done: true }), estimatedCents: 10 },
    broken: { run: () => Promise.reject(new Error('no luck')), estimatedCents: 10 },
    free: { run: () => ({ done: true }) },
  })
  beforeAll(async () => {
    store = await createTestStore()
    stack = startRunStack(store, tools, { purse: purseOf(store) })
  })
  afterEach(async () => {
    await keeper?.stop()
    keeper = null
    await store.reader`DELETE FROM budgets`
  })
  afterAll(async () => {
    await stack.stop()
    await store.end()
  })
  const call = (id: string, action: string, more: object = {}) => ({
    id,
    kind: 'action_task',
    action,
    with: {},
    ...more,
  })
  const of = (name: string) => ({ name, scope: { kind: 'Blueprint', name } as const })
  const settled = (account: string, used: string) =>
    until(
      () => standing(store, account),
      (seen) => seen?.used === usd(used) && seen.reserved === 0n,
      `${used} to be used`,
    )

  it('pay by what their tools declare, and nothing for what is free', async () => {
    const account = await declareBudget(store, { ...of('pays'), max: '1' })
    const run = await stack.start(blueprintOf('pays', { plan: [call('a', 'paid'), call('b', 'free')] }))
    expect(await untilEnded(store, run)).toMatchObject({ status: 'completed' })
    await settled(account, '0.1')
    const [entry] =
      await store.reader`SELECT tool, step, usage, blueprint, revision, run_id FROM ledger_entries WHERE run_id = ${run}`
    expect(entry).toEqual({
      tool: 'paid',
      step: 'a',
      usage: 'declared',
      blueprint: 'pays',
      revision: 'a'.repeat(40),
      run_id: run,
    })
  })

  it('are charged for a call that failed, marked: nobody knows what it cost', async () => {
    const account = await declareBudget(store, { ...of('breaks'), max: '1' })
    const run = await stack.start(blueprintOf('breaks', { plan: [call('a', 'broken')] }))
    expect(await untilEnded(store, run)).toMatchObject({ status: 'failed' })
    await settled(account, '0.1')
    const [entry] = await store.reader`SELECT usage FROM ledger_entries WHERE run_id = ${run}`
    expect(entry).toEqual({ usage: 'unknown' })
  })

  it('wait where nothing is left, cost nothing meanwhile, survive a restart, and go on at the same step when there is more', async () => {
    const account = await declareBudget(store, { ...of('waits'), max: '0.15' })
    const before = tools.calls.length
    const run = await stack.start(blueprintOf('waits', { plan: [call('a', 'paid'), call('b', 'paid')] }))
    const waiting = await untilWaiting(store, run, 'WaitingForBudget')
    expect(waiting.condition?.['message']).toMatch(/^step b: budget default\/waits: 0\.[01]0 of 0.15 USD are used/)
    await stack.stop()
    stack = startRunStack(store, tools, { purse: purseOf(store) })
    keeper = keeperOf(store, { nudgeRun: (id) => stack.engine.nudge(id) })
    keeper.start()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await untilWaiting(store, run, 'WaitingForBudget')).toMatchObject({ status: 'running' })
    expect(tools.calls.length - before).toBe(1)
    await declareBudget(store, { ...of('waits'), max: '0.2' })
    keeper.nudge()
    expect(await untilEnded(store, run)).toMatchObject({ status: 'completed' })
    await settled(account, '0.2')
    expect(tools.calls.slice(before).map(({ operationId }) => operationId)).toEqual([`${run}/a/1`, `${run}/b/1`])
    expect((await storyOf(store, run)).filter((name) => name.includes('paused'))).toEqual([
      'step.paused b',
      'step.unpaused b',
    ])
  })

  it('fail where the budget says Kill, with budget_exceeded', async () => {
    await declareBudget(store, { ...of('killed'), max: '0.05', action: 'Kill' })
    const run = await stack.start(blueprintOf('killed', { plan: [call('a', 'paid', { retry: { maxAttempts: 3 } })] }))
    const ended = await untilEnded(store, run)
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'budget_exceeded', category: 'budget' } })
    expect(await stepsOfRuns(store.reader, [run])).toHaveLength(1)
  })

  it('cost no more than limits.maxUsd of their blueprint, whatever else there is', async () => {
    const plan = [call('a', 'paid'), call('b', 'paid')]
    const loop = { id: 'l', kind: 'foreach', items: '[1, 2, 3]', as: 'n', plan: [call('x', 'paid')] }
    const run = await stack.start(blueprintOf('capped', { limits: { maxUsd: '0.25' }, plan: [loop] }))
    expect(await untilEnded(store, run)).toMatchObject({ status: 'failed', error: { code: 'budget_exceeded' } })
    await settled(`Run/${run}`, '0.2')
    await expect(stack.start(blueprintOf('never', { limits: { maxUsd: '0.15' }, plan }))).rejects.toMatchObject({
      code: 'budget_exceeded',
    })
  })

  it('that are cancelled while they wait leave nothing behind', async () => {
    const account = await declareBudget(store, { ...of('given-up'), max: '0' })
    const run = await stack.start(blueprintOf('given-up', { plan: [call('a', 'paid')] }))
    await untilWaiting(store, run, 'WaitingForBudget')
    await transact(store, async (tx) => {
      const event = await requestCancel(tx, { store, environmentOf }, { runId: run, reason: null }, caller)
      await appendEvents(tx, store, [event!])
    })
    stack.engine.nudge(run)
    expect(await untilEnded(store, run)).toMatchObject({ status: 'cancelled' })
    expect(await standing(store, account)).toEqual({ used: 0n, reserved: 0n })
  })
})
