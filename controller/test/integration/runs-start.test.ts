import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { startRun } from '../../src/runs/start/start-run.ts'
import { getRun } from '../../src/store/queries/runs.ts'
import { connectAsOwner, createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  blueprintsOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  storyOf,
  untilEnded,
} from '../support/run-stack.ts'

let store: TestStore
let stack: RunStack

beforeAll(async () => {
  store = await createTestStore()
})
afterEach(() => stack.stop())
afterAll(() => store.end())

function start(blueprint: AcceptedBlueprint, name: string | null = null, inputs: JsonObject = {}, operation?: string) {
  const { engine } = stack
  const deps = {
    store,
    blueprints: blueprintsOf([blueprint]),
    environmentOf,
    create: engine.create.bind(engine),
    nudge: () => {},
  }
  return startRun(
    deps,
    { namespace: 'default', blueprint: blueprint.name, name, inputs, priority: 0 },
    { ...caller, ...(operation === undefined ? {} : { operation }) },
  )
}

const batchesWithEvents = async (): Promise<number> => {
  const [row] = await store.reader<{ count: number }[]>`SELECT count(*) AS count FROM log_batches`
  return row!.count
}

describe('starting a run', () => {
  it('starts one run for one operation, however often it is asked for', async () => {
    stack = startRunStack(store, functionTools({}))
    const blueprint = blueprintOf('asked-twice', { plan: [{ id: 'a', kind: 'transform', expression: '1' }] })
    const operation = uuidv7()
    const first = await start(blueprint, null, {}, operation)
    expect(first).toEqual({ runId: operation })
    await untilEnded(store, operation)
    expect(await start(blueprint, null, {}, operation)).toEqual(first)
    expect((await start(blueprint, null, {})).runId).not.toBe(operation)
    const runs = await store.reader`SELECT 1 FROM runs WHERE blueprint = 'asked-twice'`
    expect(runs).toHaveLength(2)
  })

  it('makes it and moves it in one transaction', async () => {
    stack = startRunStack(store, functionTools({}))
    const blueprint = blueprintOf('pure', { plan: [{ id: 'one', kind: 'transform', expression: '1' }] })
    const before = await batchesWithEvents()
    const { runId } = await start(blueprint)
    expect(await getRun(store.reader, runId)).toMatchObject({ status: 'completed', owner: null, wake_at: null })
    expect(await batchesWithEvents()).toBe(before + 1)
    expect(await storyOf(store, runId)).toEqual(['created', 'started', 'step.completed one', 'completed'])
  })

  it('puts many that come together into few transactions', async () => {
    stack = startRunStack(store, functionTools({ nothing: { run: () => null } }))
    const blueprint = blueprintOf('many', { plan: [{ id: 'one', kind: 'action_task', action: 'nothing' }] })
    const before = await batchesWithEvents()
    const runs = await Promise.all(Array.from({ length: 100 }, () => start(blueprint)))
    for (const { runId } of runs) expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    expect((await batchesWithEvents()) - before).toBeLessThan(100)
  })

  it('refuses a name that is taken, and nothing beside it', async () => {
    stack = startRunStack(store, functionTools({}))
    const blueprint = blueprintOf('named', { plan: [{ id: 'one', kind: 'transform', expression: '1' }] })
    await start(blueprint, 'taken')
    const results = await Promise.allSettled(['free-a', 'taken', 'free-b'].map((name) => start(blueprint, name)))
    expect(results).toMatchObject([
      { status: 'fulfilled' },
      {
        status: 'rejected',
        reason: { code: 'conflict', message: expect.stringContaining('there is a run default/taken already') },
      },
      { status: 'fulfilled' },
    ])
    expect(stack.engine.activeRuns()).toBe(0)
  })

  it('leaves a run to whoever is free when this process has no room for it', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    stack = startRunStack(store, functionTools({ wait: { run: () => held.then(() => null) } }), { maxActive: 1 })
    const blueprint = blueprintOf('crowded', { plan: [{ id: 'one', kind: 'action_task', action: 'wait' }] })
    const first = await start(blueprint)
    const second = await start(blueprint)
    expect(await getRun(store.reader, second.runId)).toMatchObject({ status: 'created', owner: null })
    release()
    for (const { runId } of [first, second])
      expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
  })

  it('makes a run whose first step cannot be stored, and lets that step fail', async () => {
    stack = startRunStack(store, functionTools({}))
    const owner = connectAsOwner(store.database)
    await owner`ALTER TABLE steps ADD CONSTRAINT no_poison CHECK (outputs ->> 'poison' IS NULL)`
    const plan = [{ id: 'one', kind: 'transform', expression: "{'poison': 'yes'}" }]
    const { runId } = await start(blueprintOf('unstorable', { plan }))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'storage_error' } })
    await owner`ALTER TABLE steps DROP CONSTRAINT no_poison`
    await owner.end()
  })
})
