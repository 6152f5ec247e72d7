import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cancelRun } from '../../src/runs/cancel.ts'
import { watchLongRuns } from '../../src/runs/long-runs.ts'
import { countOpenRunsOf } from '../../src/store/queries/open-runs.ts'
import { getRun } from '../../src/store/queries/runs.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

describe('runs that are open for long', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  /** What one look finds, and whom it tells. */
  async function looked(uid: string) {
    const changed: string[] = []
    const watch = watchLongRuns(store, (blueprint) => changed.push(blueprint))
    expect(watch.of(uid)).toBeUndefined()
    watch.nudge()
    const found = await until(
      async () => watch.of(uid),
      (seen) => seen !== undefined,
    )
    await watch.stop()
    return { found, changed }
  }

  it('are known by name once they are older than a minute, and forgotten when they end', async () => {
    const blueprint = blueprintOf('waits', { plan: [{ id: 'ask', kind: 'gate', mode: 'manual' }] })
    stack = startRunStack(store, functionTools({}))
    const runId = await stack.start(blueprint)
    await untilWaiting(store, runId, 'WaitingForApproval')
    expect(await looked(blueprint.uid)).toEqual({ found: null, changed: [] })
    expect((await countOpenRunsOf(store.reader, [blueprint.uid])).get(blueprint.uid)).toBe(1)

    await store.engine`UPDATE runs SET created_at = created_at - interval '2 minutes' WHERE run_id = ${runId}`
    const { name } = (await getRun(store.engine, runId))!
    expect(await looked(blueprint.uid)).toMatchObject({
      found: { total: 1, names: [name] },
      changed: [blueprint.uid],
    })

    await cancelRun({ store, environmentOf, nudge: (id) => stack.engine.nudge(id) }, { runId, reason: null }, caller)
    await untilEnded(store, runId)
    expect((await looked(blueprint.uid)).found).toBeNull()
  })
})
