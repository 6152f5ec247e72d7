import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type DeclaredBreaker, watchDeclaredBreakers } from '../../src/breakers/declared-breakers.ts'
import { openPurse } from '../../src/budgets/purse.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { measureAgent, measureTool } from '../../src/store/queries/breaker-metrics.ts'
import { breakerOf } from '../../src/store/queries/breakers.ts'
import { insertTask, nextQueuedTask } from '../../src/store/queries/tasks.ts'
import { until } from '../support/agent-fleet.ts'
import { thing } from '../support/budget-stack.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import { blueprintOf, functionTools, type RunStack, startRunStack, untilEnded } from '../support/run-stack.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, SLEEPER } from '../support/stateward.ts'

const BEGINNING = new Date(0)

describe('what is measured', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
    const tools = functionTools({
      works: { run: () => ({}) },
      fails: { run: () => Promise.reject(new Error('no luck')) },
    })
    stack = startRunStack(store, tools)
  })
  afterAll(async () => {
    await stack.stop()
    await store.end()
  })

  it('of a tool: its calls, those that failed, the same one again and again', async () => {
    const again = {
      id: 'l',
      kind: 'foreach',
      items: '[1, 2, 3, 4]',
      as: 'n',
      plan: [{ id: 'x', kind: 'action_task', action: 'works', with: { same: 1 } }],
    }
    await untilEnded(store, await stack.start(blueprintOf('loop', { plan: [again] })))
    const once = { id: 'y', kind: 'action_task', action: 'fails', with: {} }
    await untilEnded(store, await stack.start(blueprintOf('once', { plan: [once] })))
    const works = await measureTool(store.reader, { namespace: 'default', name: 'works' }, BEGINNING)
    expect(works).toMatchObject({ ended: 4, failed: 0, toolCalls: 4, repeated: 4 })
    const fails = await measureTool(store.reader, { namespace: 'default', name: 'fails' }, BEGINNING)
    expect(fails).toMatchObject({ ended: 1, failed: 1, repeated: 1 })
    expect(await measureTool(store.reader, { namespace: 'other', name: 'works' }, BEGINNING)).toMatchObject({
      toolCalls: 0,
    })
  })

  it('of an agent: how its tasks end, what it spends, and the calls of runs that it started', async () => {
    const task = (prompt: string) => ({
      task_id: uuidv7(),
      namespace: 'default',
      agent: 'hand',
      run_id: null,
      step_id: null,
      path: null,
      prompt,
      inputs: {},
      output_schema: null,
      deadline: null,
      keep_workspace: false,
      correlation_id: 'c',
      created_at: store.clock.now(),
      created_by: 'agent:default/boss',
    })
    for (const prompt of ['again', 'again', 'again', 'else']) await insertTask(store.engine, task(prompt))
    await store.engine`UPDATE tasks SET status = 'failed', completed_at = created_at WHERE prompt = 'again'`
    const purse = openPurse(store)
    await purse.reserve(thing('m1', '0.4', { agent: 'hand' }))
    await purse.settle('m1', { kind: 'as_declared' })
    expect(await measureAgent(store.reader, { namespace: 'default', name: 'hand' }, BEGINNING)).toMatchObject({
      ended: 3,
      failed: 3,
      amount: 400_000_000n,
    })
    expect(await measureAgent(store.reader, { namespace: 'default', name: 'boss' }, BEGINNING)).toMatchObject({
      repeated: 3,
      steps: 0,
    })
    const run = await stack.start(
      blueprintOf('mine', {
        plan: [
          {
            id: 'l',
            kind: 'foreach',
            items: '[1, 2]',
            as: 'n',
            plan: [{ id: 'x', kind: 'action_task', action: 'works', with: { same: 1 } }],
          },
        ],
      }),
    )
    await untilEnded(store, run)
    await store.engine`UPDATE runs SET actor = 'agent:default/runner' WHERE run_id = ${run}`
    expect(await measureAgent(store.reader, { namespace: 'default', name: 'runner' }, BEGINNING)).toMatchObject({
      toolCalls: 2,
      repeated: 2,
    })
  })

  it('opens the breaker once, a worse one takes its place, and what was before a reset does not count again', async () => {
    const declared: DeclaredBreaker[] = []
    const watch = watchDeclaredBreakers({
      store,
      declared: () => declared,
      wake: () => {},
      terminate: async () => {},
      revive: async () => {},
    })
    const target = { kind: 'Agent', namespace: 'default', name: 'hand' } as const
    const breaker = (name: string, effect: DeclaredBreaker['effect']): DeclaredBreaker => ({
      ...{ namespace: 'default', name, kind: 'Agent', targets: ['hand'], metric: 'failures', threshold: 3 },
      ...{ windowMs: 3_600_000, effect, cooldownSeconds: null },
    })
    try {
      declared.push(breaker('soft', 'notify'))
      watch.start()
      await until('it to open', async () => (await breakerOf(store.reader, target))?.state === 'open')
      declared.push(breaker('hard', 'pause'))
      await until('the worse one', async () => (await breakerOf(store.reader, target))?.declared_by === 'hard')
      expect(await breakerOf(store.reader, target)).toMatchObject({
        effect: 'pause',
        reason: '3 failed within 60 min',
        trips: 2,
      })
      // It is as if it were the only one: nothing is handed out.
      const handed = () =>
        nextQueuedTask(store.engine, { namespace: 'default', name: 'hand' }, store.clock.now(), false)
      expect(await handed()).toBeNull()
      await store.engine`UPDATE breakers SET effect = 'throttle'`
      expect(await handed()).toMatchObject({ prompt: 'else' })
      await store.engine`UPDATE breakers SET state = 'closed', closed_at = ${store.clock.now()}`
      await new Promise((resolve) => setTimeout(resolve, 2200))
      expect(await breakerOf(store.reader, target)).toMatchObject({ state: 'closed', trips: 2 })
    } finally {
      await watch.stop()
    }
  })
})

describe('a Breaker', () => {
  const open: Installation[] = []
  afterEach(async () => {
    for (const installation of open.splice(0)) await installation.end()
  })

  it('that terminates ends the processes of its agent, is seen, and lets them start again when it is reset', async () => {
    const here = await createInstallation({
      'a.yaml': agent('wild', SLEEPER, { labels: { team: 'x' } }),
      'b.yaml': manifest('Breaker', 'runaways', {
        selector: { kind: 'Agent', matchLabels: { team: 'x' } },
        metric: 'tokens',
        threshold: 1000,
        window: '1h',
        action: 'terminate',
        manualReset: true,
      }),
    })
    open.push(here)
    await here.start()
    await here.untilCondition('Breaker/default/runaways', 'Ready', 'True')
    await until('the agent to run', async () => (await here.pids('Agent/default/wild')).length === 1)
    await here.post('/api/v1/costs', { amount_usd: '0', agent: 'wild', input_tokens: 1000 })
    await until('its processes to be gone', async () => (await here.pids('Agent/default/wild')).length === 0)
    const breaker = await here.ask('GET', '/api/v1/breakers/agent:wild')
    expect(breaker.body).toMatchObject({ state: 'open', effect: 'terminate', declared_by: 'runaways', probe_at: null })
    const path = '/kube/apis/stateward.dev/v1alpha1/namespaces/default/breakers/runaways'
    expect((await here.ask('GET', path)).body['status']).toMatchObject({
      state: 'open',
      targets: [{ kind: 'Agent', name: 'wild', state: 'open', reason: '1000 tokens were used within 60 min' }],
    })
    expect((await here.post('/api/v1/breakers/agent:wild/reset', {})).status).toBe(200)
    await until('the agent to run again', async () => (await here.pids('Agent/default/wild')).length === 1)
    expect((await here.ask('GET', path)).body['status']).toMatchObject({ state: 'closed', trips: 1 })
  })

  it('closes what it opened when it is removed', async () => {
    const here = await createInstallation({
      'a.yaml': agent('wild', SLEEPER),
      'b.yaml': manifest('Breaker', 'spending', {
        selector: { kind: 'Agent', name: 'wild' },
        metric: 'costCents',
        threshold: 50,
        window: '1h',
      }),
    })
    open.push(here)
    await here.start()
    await here.untilCondition('Breaker/default/spending', 'Ready', 'True')
    await here.post('/api/v1/costs', { amount_usd: '0.5', agent: 'wild' })
    const state = async () => (await here.ask('GET', '/api/v1/breakers/agent:wild')).body['state']
    await until('it to open', async () => (await state()) === 'open')
    await here.apply({ 'b.yaml': null })
    await until('it to close', async () => (await state()) === 'closed')
  })
})
