import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startRun } from '../../src/runs/start/start-run.ts'
import type { Sql } from '../../src/store/database.ts'
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
  until,
  untilEnded,
} from '../support/run-stack.ts'

let store: TestStore
let other: Sql
let stack: RunStack

beforeAll(async () => {
  store = await createTestStore()
  other = connectAsOwner(store.database)
})
afterEach(() => stack.stop())
afterAll(async () => {
  await other.end()
  await store.end()
})

const LIMITS = { transitions: 10, bytes: 1024 * 1024, transitionBytes: 1024 * 1024 }

/** Nothing that writes events gets on while `work` runs, as if the disk stood still. */
async function whileTheLogStands(work: () => Promise<void>): Promise<void> {
  await other.begin(async (tx) => {
    await tx`SELECT 1 FROM log_head FOR UPDATE`
    await work()
  })
}

const batches = async (): Promise<number> => {
  const [row] = await store.reader<{ count: number }[]>`SELECT count(*) AS count FROM log_batches`
  return row!.count
}

describe('a journal whose database is slow', () => {
  it('starts nothing new while it is full, and goes on with everything when it can', async () => {
    const tools = functionTools({ nothing: { run: () => null } })
    stack = startRunStack(store, tools, { limits: LIMITS })
    const blueprint = blueprintOf('pressed', { plan: [{ id: 'one', kind: 'action_task', action: 'nothing' }] })
    const { engine, journal } = stack
    const create = engine.create.bind(engine)
    const deps = { store, blueprints: blueprintsOf([blueprint]), environmentOf, create, nudge: () => {} }
    const start = () =>
      startRun(deps, { namespace: 'default', blueprint: 'pressed', name: null, inputs: {}, priority: 0 }, caller)
    let started: Promise<{ readonly runId: string }[]> = Promise.resolve([])
    await whileTheLogStands(async () => {
      started = Promise.all(Array.from({ length: 50 }, start))
      await until(
        async () => journal.isFull,
        (isFull) => isFull,
      )
      // One batch is in flight, ten transitions wait, and no run beyond them has begun.
      expect(engine.activeRuns()).toBeLessThan(50)
      expect(tools.calls).toEqual([])
    })
    const runs = await started
    engine.nudge()
    for (const { runId } of runs) expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    expect(tools.calls).toHaveLength(50)
    expect(journal.isFull).toBe(false)
  })

  it('commits together what gathered while a batch was in flight', async () => {
    stack = startRunStack(store, functionTools({}))
    const blueprint = blueprintOf('gathered', { plan: [{ id: 'one', kind: 'transform', expression: '1' }] })
    await untilEnded(store, await stack.start(blueprint))
    const before = await batches()
    let runs: Promise<string[]> = Promise.resolve([])
    await whileTheLogStands(async () => {
      const first = stack.start(blueprint)
      // It is sent, and waits for the log; everybody else comes meanwhile.
      await until(
        async () => (await store.reader`SELECT 1 FROM pg_locks WHERE NOT granted`).length,
        (waiting) => waiting > 0,
      )
      runs = Promise.all([first, ...Array.from({ length: 100 }, () => stack.start(blueprint))])
      await new Promise((resolve) => setTimeout(resolve, 20))
    })
    for (const runId of await runs) expect(await getRun(store.reader, runId)).toMatchObject({ status: 'completed' })
    expect((await batches()) - before).toBe(2)
  })
})
