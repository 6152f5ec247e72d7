import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { createSchedules } from '../../src/runs/schedules/schedules.ts'
import { startRun } from '../../src/runs/start/start-run.ts'
import { createTriggers, type Triggers } from '../../src/runs/triggers/triggers.ts'
import { appendEvents, readEvents } from '../../src/store/log.ts'
import { transact } from '../../src/store/transact.ts'
import { assertCatalogued } from '../support/assert-events.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import { insertBlueprintObject } from '../support/run-rows.ts'
import { blueprintOf, blueprintsOf, caller, environmentOf, freeCreate, until } from '../support/run-stack.ts'
import { SetClock } from '../support/set-clock.ts'

const plan = [{ id: 'one', kind: 'transform', expression: '1' }]
const inputs = [{ name: 'n', from: 'event.data.n' }]

describe('back-pressure', () => {
  let store: TestStore
  const clock = new SetClock('2026-05-01T00:00:00Z')
  const told: [string, string | null][] = []
  beforeAll(async () => {
    store = await createTestStore({ clock })
  })
  afterAll(async () => {
    await assertCatalogued(store.reader)
    await store.end()
  })

  const declare = async (
    name: string,
    backpressure: JsonObject,
    triggers: JsonObject[] = [{ event: `${name}.wanted` }],
  ) => {
    const blueprint = blueprintOf(name, { triggers, inputs, plan, backpressure })
    await insertBlueprintObject(store, blueprint)
    return blueprint
  }
  const emit = async (event_name: string, ...numbers: number[]) => {
    const events = numbers.map((n) => ({
      event_id: uuidv7(),
      event_name,
      occurred_at: clock.now(),
      env_id: 'default',
      actor: 'user:ada',
      correlation_id: 'c',
      data: { n },
    }))
    await transact(store, (tx) => appendEvents(tx, store, events))
  }
  const consume = (...list: AcceptedBlueprint[]): Triggers => {
    const triggers = createTriggers({
      store,
      blueprints: blueprintsOf(list),
      environmentOf,
      created: () => {},
      held: ({ name }, message) => told.push([name, message]),
      pollMs: 5,
    })
    triggers.start()
    return triggers
  }
  const madeOf = async ({ uid }: AcceptedBlueprint) =>
    (
      await store.reader<{ inputs: { n: number } }[]>`
      SELECT inputs FROM runs JOIN events USING (run_id)
      WHERE blueprint_uid = ${uid} AND event_name = 'stateward.run.created' ORDER BY seq`
    ).map((run) => run.inputs.n)
  const heldOf = async ({ uid }: AcceptedBlueprint) =>
    (await store.reader`SELECT 1 FROM held_triggers WHERE blueprint_uid = ${uid}`).length
  const counts = (blueprint: AcceptedBlueprint) => async () => [
    (await madeOf(blueprint)).length,
    await heldOf(blueprint),
  ]
  const untilCounts = (blueprint: AcceptedBlueprint, made: number, held: number) =>
    until(counts(blueprint), ([m, h]) => m === made && h === held, `${made} made and ${held} held`)
  const begin = (blueprint: AcceptedBlueprint) => store.engine`
    UPDATE runs SET status = 'running' WHERE blueprint_uid = ${blueprint.uid} AND status = 'created'`

  it('holds events back beyond maxPending, and makes their runs later, in order, once each, across restarts', async () => {
    const blueprint = await declare('pending', { maxPending: 2 })
    let triggers = consume(blueprint)
    await emit('pending.wanted', 1, 2, 3, 4, 5)
    await untilCounts(blueprint, 2, 3)
    await emit('pending.wanted', 6)
    await untilCounts(blueprint, 2, 4)
    for (const [made, held] of [
      [4, 2],
      [6, 0],
    ] as const) {
      await triggers.stop()
      await begin(blueprint)
      triggers = consume(blueprint)
      await untilCounts(blueprint, made, held)
    }
    await triggers.stop()
    expect(await madeOf(blueprint)).toEqual([1, 2, 3, 4, 5, 6])
    const held = await readEvents(store.reader, { name: 'stateward.run.held', limit: 10 })
    expect(held.map(({ data }) => data['blueprint'])).toEqual(['pending', 'pending', 'pending', 'pending'])
    expect(told.filter(([name]) => name === 'pending').at(-1)).toEqual(['pending', null])
    expect(told).toContainEqual(['pending', 'backpressure.maxPending: 2 of its runs have not begun'])
  })

  it('holds events back beyond the rate, until the minute has passed', async () => {
    clock.set('2026-05-01T01:00:00Z')
    const blueprint = await declare('rate', { ratePerMinute: 2 })
    const triggers = consume(blueprint)
    await emit('rate.wanted', 1, 2, 3)
    await untilCounts(blueprint, 2, 1)
    clock.set('2026-05-01T01:00:59Z')
    await emit('rate.wanted', 4)
    await untilCounts(blueprint, 2, 2)
    clock.set('2026-05-01T01:01:01Z')
    await untilCounts(blueprint, 4, 0)
    await triggers.stop()
    expect(await madeOf(blueprint)).toEqual([1, 2, 3, 4])
  })

  it('keeps what is held while the blueprint is suspended, and refuses what it does not ask for any more', async () => {
    const blueprint = await declare('changing', { maxPending: 1 })
    let triggers = consume(blueprint)
    await emit('changing.wanted', 1, 2)
    await untilCounts(blueprint, 1, 1)
    await triggers.stop()
    await begin(blueprint)
    triggers = consume({ ...blueprint, suspended: true })
    await emit('other.event', 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await triggers.stop()
    expect(await counts(blueprint)()).toEqual([1, 1])
    const changed = blueprintOf('changing', {
      triggers: [{ event: 'changing.else' }],
      plan,
      backpressure: { maxPending: 1 },
    })
    triggers = consume({ ...changed, uid: blueprint.uid })
    await untilCounts(blueprint, 1, 0)
    await triggers.stop()
    const refused = await readEvents(store.reader, { name: 'stateward.run.refused', limit: 10 })
    expect(refused).toMatchObject([{ data: { blueprint: 'changing', trigger: 'event:changing.wanted' } }])
  })

  it('refuses a run that is asked for by hand, and says when to come again', async () => {
    clock.set('2026-05-01T02:00:00Z')
    const blueprint = await declare('manual', { ratePerMinute: 1 })
    const start = () =>
      startRun(
        { store, blueprints: blueprintsOf([blueprint]), environmentOf, create: freeCreate(store), nudge: () => {} },
        { namespace: 'default', blueprint: 'manual', name: null, inputs: {}, priority: 0 },
        caller,
      )
    const results = await Promise.allSettled([start(), start(), start()])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    clock.set('2026-05-01T02:00:20Z')
    await expect(start()).rejects.toMatchObject({ code: 'quota_exceeded', details: { retry_after_seconds: 41 } })
    clock.set('2026-05-01T02:01:01Z')
    await start()
  })

  it('keeps a scheduled time due until its run may be made', async () => {
    clock.set('2026-05-02T00:00:00Z')
    const blueprint = await declare('scheduled', { maxPending: 1 }, [
      { schedule: '0 * * * *' },
      { schedule: '0 1 * * *' },
    ])
    const schedules = createSchedules({
      store,
      blueprints: blueprintsOf([blueprint]),
      environmentOf,
      changed: () => {},
      held: ({ name }, message) => told.push([name, message]),
      pollMs: 5,
    })
    schedules.start()
    await until(
      async () => schedules.times(blueprint.uid),
      (times) => times !== null,
    )
    clock.set('2026-05-02T01:00:00Z')
    await until(
      async () => told.at(-1)?.[0],
      (name) => name === 'scheduled',
    )
    expect(await madeOf(blueprint)).toHaveLength(1)
    clock.set('2026-05-02T01:30:00Z')
    await begin(blueprint)
    await until(
      async () => (await madeOf(blueprint)).length,
      (made) => made === 2,
    )
    await until(
      async () => told.at(-1)?.[1],
      (message) => message === null,
    )
    await schedules.stop()
    const times = await store.reader`SELECT event->>'time' AS time FROM runs WHERE blueprint_uid = ${blueprint.uid}`
    expect(times.map(({ time }) => time)).toEqual(['2026-05-02T01:00:00.000Z', '2026-05-02T01:00:00.000Z'])
  })
})
