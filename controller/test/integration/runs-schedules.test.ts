import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { createSchedules, type Schedules } from '../../src/runs/schedules/schedules.ts'
import { readEvents } from '../../src/store/log.ts'
import type { RunRow } from '../../src/store/queries/runs.ts'
import type { Store } from '../../src/store/store.ts'
import { assertCatalogued } from '../support/assert-events.ts'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import { insertBlueprintObject } from '../support/run-rows.ts'
import { blueprintOf, blueprintsOf, environmentOf, functionTools, until } from '../support/run-stack.ts'
import { SetClock } from '../support/set-clock.ts'

const plan = [{ id: 'one', kind: 'transform', expression: '1' }]

describe('schedules', () => {
  let store: TestStore
  const clock = new SetClock('2026-05-01T00:00:00Z')
  beforeAll(async () => {
    store = await createTestStore({ clock })
  })
  afterAll(async () => {
    await assertCatalogued(store.reader)
    await store.end()
  })

  const declare = async (
    name: string,
    trigger: JsonObject,
    more: Partial<AcceptedBlueprint> = {},
    spec: JsonObject = {},
  ): Promise<AcceptedBlueprint> => {
    const blueprint = blueprintOf(name, { triggers: [trigger], plan, ...spec }, more)
    await insertBlueprintObject(store, blueprint)
    return blueprint
  }
  const run = (
    list: readonly AcceptedBlueprint[],
    more: {
      store?: Store
      changed?: (ids: readonly string[]) => void
      tools?: ReturnType<typeof functionTools>
    } = {},
  ) => {
    const schedules = createSchedules({
      store,
      blueprints: blueprintsOf(list),
      environmentOf,
      changed: () => {},
      pollMs: 5,
      ...more,
    })
    schedules.start()
    return schedules
  }
  /** Waits until a pass that began after now has ended. */
  const passed = async (schedules: Schedules, blueprint: AcceptedBlueprint) => {
    await until(
      async () => schedules.times(blueprint.uid)?.next ?? null,
      (next) => next !== null && next > clock.now(),
      'a pass over the schedules',
    )
  }
  const runsOf = (blueprint: AcceptedBlueprint): Promise<RunRow[]> =>
    store.reader<RunRow[]>`SELECT * FROM runs WHERE blueprint_uid = ${blueprint.uid} ORDER BY created_at, run_id`
  const scheduledOf = async (blueprint: AcceptedBlueprint) =>
    (await runsOf(blueprint)).map(({ event }) => (event!['data'] as JsonObject)['scheduled_at'])
  const missedOf = async (blueprint: AcceptedBlueprint) =>
    (await readEvents(store.reader, { name: 'stateward.schedule.missed', limit: 100 }))
      .filter(({ resource }) => resource?.id === blueprint.uid)
      .map(({ data }) => data)

  it('start a run at their time, with its inputs, and say when the next one is due', async () => {
    clock.set('2026-05-01T02:00:00Z')
    const blueprint = await declare(
      'nightly',
      { schedule: '0 3 * * *', inputs: { host: 'web-1' } },
      {},
      {
        inputs: [
          { name: 'host', schema: { type: 'string' }, required: true, from: 'event.data.host' },
          { name: 'at', required: true, from: 'event.data.scheduled_at' },
        ],
      },
    )
    const created: string[] = []
    const schedules = run([blueprint], { changed: (ids) => created.push(...ids) })
    await passed(schedules, blueprint)
    expect(await runsOf(blueprint)).toEqual([])
    expect(schedules.times(blueprint.uid)).toEqual({ next: new Date('2026-05-01T03:00:00Z'), last: null })
    clock.set('2026-05-01T03:00:01Z')
    await passed(schedules, blueprint)
    await schedules.stop()
    const [made, ...others] = await runsOf(blueprint)
    expect(others).toEqual([])
    expect(made).toMatchObject({
      trigger: 'schedule:0 3 * * * UTC',
      inputs: { host: 'web-1', at: '2026-05-01T03:00:00.000Z' },
      actor: 'system:scheduler',
      event: { name: 'stateward.schedule.fired', time: '2026-05-01T03:00:00.000Z' },
    })
    expect(created).toEqual([made!.run_id])
    expect(schedules.times(blueprint.uid)).toEqual({
      next: new Date('2026-05-02T03:00:00Z'),
      last: new Date('2026-05-01T03:00:00Z'),
    })
    const events = await readEvents(store.reader, { name: 'stateward.schedule.fired', limit: 10 })
    expect(events).toMatchObject([
      { event_id: made!.trigger_event, resource: { id: blueprint.uid }, data: { run: made!.name, late_ms: 1000 } },
    ])
  })

  it('start each time once, across restarts, takeovers and two schedulers at once', async () => {
    clock.set('2026-05-02T00:00:00Z')
    const blueprint = await declare('often', { schedule: '*/10 * * * *' })
    const other = await openTestStore(store.database, { host: 'other-host', clock })
    let schedulers = [run([blueprint]), run([blueprint], { store: other })]
    for (let i = 1; i <= 6; i++) {
      await passed(schedulers[0]!, blueprint)
      await passed(schedulers[1]!, blueprint)
      clock.set(`2026-05-02T0${i}:00:00Z`)
      if (i % 2 === 0) {
        await Promise.all(schedulers.map((one) => one.stop()))
        schedulers = [run([blueprint]), run([blueprint], { store: other })]
      }
    }
    await passed(schedulers[0]!, blueprint)
    // The clock goes back an hour: those times were there already.
    clock.set('2026-05-02T05:00:00Z')
    await Promise.all(schedulers.map((one) => one.stop()))
    const again = run([blueprint])
    await passed(again, blueprint)
    await again.stop()
    await other.end()
    expect(await scheduledOf(blueprint)).toEqual([1, 2, 3, 4, 5, 6].map((hour) => `2026-05-02T0${hour}:00:00.000Z`))
  })

  it('catch up after downtime with the latest time, within the deadline, and tell what was missed', async () => {
    clock.set('2026-05-03T00:30:00Z')
    const strict = await declare('strict', { schedule: '0 * * * *', startingDeadlineSeconds: 300 })
    const patient = await declare('patient', { schedule: '0 * * * *' })
    const before = run([strict, patient])
    await passed(before, strict)
    await before.stop()
    clock.set('2026-05-03T09:20:00Z')
    const after = run([strict, patient])
    await passed(after, strict)
    await passed(after, patient)
    await after.stop()
    expect(await scheduledOf(strict)).toEqual([])
    expect(await scheduledOf(patient)).toEqual(['2026-05-03T09:00:00.000Z'])
    expect(await missedOf(strict)).toMatchObject([{ reason: 'late', count: 9, first_at: '2026-05-03T01:00:00.000Z' }])
    expect(await missedOf(patient)).toMatchObject([{ reason: 'superseded', count: 8 }])
  })

  it('start nothing while suspended, and do not catch up afterwards', async () => {
    clock.set('2026-05-04T00:30:00Z')
    const blueprint = await declare('paused', { schedule: '0 * * * *' })
    const first = run([blueprint])
    await passed(first, blueprint)
    await first.stop()
    const suspended = run([{ ...blueprint, suspended: true }])
    await until(
      () =>
        store.reader<{ suspended: boolean }[]>`SELECT suspended FROM schedules WHERE blueprint_uid = ${blueprint.uid}`,
      ([row]) => row?.suspended === true,
    )
    clock.set('2026-05-04T05:30:00Z')
    await suspended.stop()
    const resumed = run([blueprint])
    await passed(resumed, blueprint)
    expect(await runsOf(blueprint)).toEqual([])
    clock.set('2026-05-04T06:00:00Z')
    await passed(resumed, blueprint)
    await resumed.stop()
    expect(await scheduledOf(blueprint)).toEqual(['2026-05-04T06:00:00.000Z'])
    expect(await missedOf(blueprint)).toEqual([])
  })

  it('begin anew when a blueprint gets another schedule, and when it gets the first one back', async () => {
    clock.set('2026-05-05T00:30:00Z')
    const hourly = await declare('changing', { schedule: '0 * * * *' })
    const other = blueprintOf('changing', { triggers: [{ schedule: '15 * * * *' }], plan }, { uid: hourly.uid })
    for (const [blueprint, time] of [
      [hourly, '2026-05-05T03:05:00Z'],
      [other, '2026-05-05T06:05:00Z'],
      [hourly, '2026-05-05T06:30:00Z'],
    ] as const) {
      const schedules = run([blueprint])
      await passed(schedules, blueprint)
      await schedules.stop()
      clock.set(time)
    }
    expect(await runsOf(hourly)).toEqual([])
  })

  it('leave a time out, or cancel the open run, as the concurrency policy says', async () => {
    clock.set('2026-05-06T00:30:00Z')
    const blueprints = await Promise.all(
      (['Allow', 'Forbid', 'Replace'] as const).map((concurrencyPolicy) =>
        declare(concurrencyPolicy.toLowerCase(), { schedule: '0 * * * *', concurrencyPolicy }),
      ),
    )
    const [allow, forbid, replace] = blueprints as [AcceptedBlueprint, AcceptedBlueprint, AcceptedBlueprint]
    const schedules = run(blueprints)
    for (const time of ['2026-05-06T00:31:00Z', '2026-05-06T01:00:00Z', '2026-05-06T02:00:00Z']) {
      clock.set(time)
      for (const blueprint of blueprints) await passed(schedules, blueprint)
    }
    await schedules.stop()
    expect(await runsOf(allow)).toHaveLength(2)
    expect(await scheduledOf(forbid)).toEqual(['2026-05-06T01:00:00.000Z'])
    expect(await missedOf(forbid)).toMatchObject([{ reason: 'forbidden', scheduled_at: '2026-05-06T02:00:00.000Z' }])
    const [replaced] = await runsOf(replace)
    expect(await runsOf(replace)).toHaveLength(2)
    const inbox = await store.reader`SELECT run_id, kind, actor FROM run_inbox`
    expect([...inbox]).toEqual([{ run_id: replaced!.run_id, kind: 'cancel', actor: 'system:scheduler' }])
  })

  it('start nothing that is known to cost more than it may, and say so at each time', async () => {
    clock.set('2026-06-01T02:30:00Z')
    const call = (id: string) => ({ id, kind: 'action_task', action: 'paid', with: {} })
    const spec = { limits: { maxUsd: '0.15' }, plan: [call('a'), call('b')] }
    const blueprint = await declare('dear', { schedule: '0 3 * * *' }, {}, spec)
    const tools = functionTools({ paid: { run: () => ({}), estimatedCents: 10 } })
    const schedules = run([blueprint], { tools })
    await passed(schedules, blueprint)
    clock.set('2026-06-01T03:00:01Z')
    await passed(schedules, blueprint)
    await schedules.stop()
    expect(await runsOf(blueprint)).toEqual([])
    const refused = (await readEvents(store.reader, { name: 'stateward.run.refused', limit: 100 })).filter(
      ({ resource }) => resource?.id === blueprint.uid,
    )
    expect(refused.map(({ data }) => data['problems'])).toMatchObject([[{ code: 'budget_exceeded', budget_cents: 15 }]])
  })

  it('forget a schedule with its object', async () => {
    const blueprint = await declare('gone', { schedule: '0 * * * *' })
    const schedules = run([blueprint])
    await passed(schedules, blueprint)
    await schedules.stop()
    await store.engine`DELETE FROM objects WHERE uid = ${blueprint.uid}`
    const rows = await store.reader`SELECT 1 FROM schedules WHERE blueprint_uid = ${blueprint.uid}`
    expect(rows).toHaveLength(0)
  })
})
