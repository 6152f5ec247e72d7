import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cancelRun } from '../../src/runs/cancel.ts'
import { startRun } from '../../src/runs/start/start-run.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { getRun } from '../../src/store/queries/runs.ts'
import { connectAsOwner, createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  blueprintsOf,
  caller,
  environmentOf,
  freeCreate,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  until,
  untilEnded,
} from '../support/run-stack.ts'

describe('the run engine', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  const call = (id: string, action: string, more: object = {}) => ({
    id,
    kind: 'action_task',
    action,
    with: {},
    ...more,
  })

  it('moves no more runs of a blueprint at once than it allows, and all of them in the end', async () => {
    let inside = 0
    let most = 0
    const tools = functionTools({
      brief: {
        async run() {
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setTimeout(resolve, 40))
          inside -= 1
          return null
        },
      },
    })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('narrow', { limits: { concurrency: 2 }, plan: [call('brief', 'brief')] })
    const ids = await Promise.all(Array.from({ length: 9 }, () => stack.start(blueprint)))
    for (const id of ids) expect(await untilEnded(store, id)).toMatchObject({ status: 'completed', condition: null })
    expect(most).toBe(2)
  })

  it('moves a run that is its own though nobody told it so', async () => {
    stack = startRunStack(store, functionTools({}))
    const blueprint = blueprintOf('stray', { plan: [{ id: 'one', kind: 'transform', expression: '1' }] })
    // As when the answer to its claim is lost with the connection.
    const deps = {
      store,
      blueprints: blueprintsOf([blueprint]),
      environmentOf,
      create: freeCreate(store),
      nudge: () => {},
    }
    const { runId } = await startRun(
      deps,
      { namespace: 'default', blueprint: 'stray', name: null, inputs: {}, priority: 0 },
      caller,
    )
    await store.engine`UPDATE runs SET owner = ${store.writer.id} WHERE run_id = ${runId} AND owner IS NULL`
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
  })

  it('claims the most urgent run first', async () => {
    const order: string[] = []
    const tools = functionTools({
      note: {
        run: ({ operationId }) => {
          order.push(operationId.slice(0, 36))
          return null
        },
      },
    })
    stack = startRunStack(store, tools)
    await stack.engine.stop()
    const blueprint = blueprintOf('urgent', { plan: [call('note', 'note')] })
    const start = async (priority: number) => {
      const deps = {
        store,
        blueprints: blueprintsOf([blueprint]),
        environmentOf,
        create: freeCreate(store),
        nudge: () => {},
      }
      return (
        await startRun(deps, { namespace: 'default', blueprint: 'urgent', name: null, inputs: {}, priority }, caller)
      ).runId
    }
    const [low, high, middle] = [await start(0), await start(9), await start(5)]
    const other = startRunStack(store, tools, { maxActive: 1 })
    for (const id of [low, high, middle]) await untilEnded(store, id)
    expect(order).toEqual([high, middle, low])
    await other.stop()
  })

  it('stops a tool when its run is cancelled, and records what came of it', async () => {
    const tools = functionTools({
      obedient: {
        run: (_call, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
      finishing: {
        run: (_call, { signal }) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve('done all the same'))),
      },
    })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('cancelled', {
      plan: [
        call('a', 'obedient', { needs: [] }),
        call('b', 'finishing', { needs: [] }),
        call('c', 'obedient', { needs: ['a', 'b'] }),
      ],
    })
    const runId = await stack.start(blueprint)
    await until(
      async () => tools.calls.length,
      (calls) => calls === 2,
    )
    const deps = { store, environmentOf, nudge: (id: string) => stack.engine.nudge(id) }
    await cancelRun(deps, { runId, reason: null }, caller)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } })
    expect(await statusesOf(store, runId)).toEqual({ a: 'failed', b: 'completed', c: 'skipped' })
    const effects = await effectsOfRuns(store.reader, [runId])
    expect(Object.fromEntries(effects.map(({ path, state }) => [path, state]))).toEqual({ a: 'failed', b: 'succeeded' })
    await cancelRun(deps, { runId, reason: null }, caller)
    const done = await stack.start(blueprintOf('done', { plan: [{ id: 'one', kind: 'transform', expression: '1' }] }))
    await untilEnded(store, done)
    await expect(cancelRun(deps, { runId: done, reason: null }, caller)).rejects.toMatchObject({ code: 'conflict' })
    await expect(
      cancelRun(deps, { runId: '01900000-0000-7000-8000-000000000000', reason: null }, caller),
    ).rejects.toMatchObject({ code: 'not_found' })
  })

  it('starts nothing more after a failure, but waits for the effects that are under way', async () => {
    let release: () => void = () => {}
    const tools = functionTools({
      slow: { run: () => new Promise((resolve) => (release = () => resolve('late'))) },
      broken: {
        run: () => {
          throw new Error('no')
        },
      },
    })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('racing', {
      plan: [
        call('slow', 'slow', { needs: [] }),
        call('broken', 'broken', { needs: [] }),
        { id: 'ask', kind: 'gate', mode: 'manual', needs: [] },
        call('after', 'slow', { needs: ['slow'] }),
      ],
    })
    const runId = await stack.start(blueprint)
    await until(
      () => statusesOf(store, runId),
      (seen) => seen['broken'] === 'failed' && seen['ask'] === 'failed',
    )
    expect(await getRun(store.reader, runId)).toMatchObject({ status: 'running' })
    release()
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { details: { step: 'broken' } } })
    expect(await statusesOf(store, runId)).toEqual({
      slow: 'completed',
      broken: 'failed',
      ask: 'failed',
      after: 'skipped',
    })
    expect(tools.calls).toHaveLength(2)
  })

  it('fails the step whose result the database refuses, and keeps that its effect took place', async () => {
    const owner = connectAsOwner(store.database)
    await owner`ALTER TABLE steps ADD CONSTRAINT no_poison CHECK (outputs ->> 'poison' IS NULL)`
    const tools = functionTools({ poison: { run: () => ({ poison: 'yes' }) }, fine: { run: () => ({}) } })
    stack = startRunStack(store, tools)
    const poisoned = await stack.start(
      blueprintOf('poisoned', { plan: [call('poison', 'poison'), call('next', 'fine')] }),
    )
    const others = await Promise.all(
      Array.from({ length: 5 }, () =>
        stack.start(blueprintOf('fine', { plan: [call('one', 'fine'), call('two', 'fine')] })),
      ),
    )
    expect(await untilEnded(store, poisoned)).toMatchObject({
      status: 'failed',
      error: { code: 'storage_error', details: { step: 'poison' } },
    })
    expect(await statusesOf(store, poisoned)).toEqual({ poison: 'failed', next: 'skipped' })
    expect(await effectsOfRuns(store.reader, [poisoned])).toMatchObject([{ state: 'succeeded' }])
    for (const id of others) expect(await untilEnded(store, id)).toMatchObject({ status: 'completed' })
    expect(tools.calls.filter(({ tool }) => tool === 'poison')).toHaveLength(1)
    await owner`ALTER TABLE steps DROP CONSTRAINT no_poison`
    await owner.end()
  })

  it('fails a run whose last row the database refuses', async () => {
    const owner = connectAsOwner(store.database)
    await owner`ALTER TABLE runs ADD CONSTRAINT no_poison CHECK (outputs ->> 'poison' IS NULL)`
    stack = startRunStack(store, functionTools({}))
    const runId = await stack.start(
      blueprintOf('poisoned-end', {
        plan: [{ id: 'one', kind: 'transform', expression: '1' }],
        outputs: [{ name: 'poison', value: 'yes' }],
      }),
    )
    expect(await untilEnded(store, runId)).toMatchObject({
      status: 'failed',
      outputs: null,
      error: { code: 'storage_error' },
    })
    await owner`ALTER TABLE runs DROP CONSTRAINT no_poison`
    await owner.end()
  })
})
