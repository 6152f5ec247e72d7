import { afterAll, beforeAll, expect, it } from 'vitest'
import { footprintsByDay, oldFootprints } from '../../src/records/chores.ts'
import { recordImpression } from '../../src/records/impressions.ts'
import { insertFootprint } from '../../src/store/queries/footprints.ts'
import { transact } from '../../src/store/transact.ts'
import { createRun } from '../support/api-rows.ts'
import { asAdmin, asAgent, newId, startApi, type TestApi } from '../support/api-server.ts'

let api: TestApi
let runId: string
beforeAll(async () => {
  api = await startApi({
    services: { impressions: { record: (said, caller) => recordImpression(api.store, said, caller) } },
  })
  runId = await createRun(api.store, { name: 'labelled' })
})
afterAll(() => api.stop())

const post = (payload: object, headers: Record<string, string> = asAdmin) =>
  api.server.app.inject({ method: 'POST', url: '/api/v1/impressions', headers, payload })
const list = async (query: string) => (await api.server.app.inject(`/api/v1/impressions?${query}`)).json()

it('a run is labelled, with what the label was derived from, and the log tells of it', async () => {
  const basis = { metric: 'wall_ms', quantity: 9000 }
  const response = await post({ run_id: 'labelled', label: 'severity', value: 'high', basis_json: basis })
  expect(response.statusCode).toBe(201)
  const impression = response.json()
  expect(impression).toMatchObject({
    run_id: runId,
    step_id: null,
    label: 'severity',
    value: 'high',
    basis_json: basis,
  })
  await post({ run_id: runId, label: 'billable', value: true })
  expect((await list(`run_id=labelled`)).items.map((item: Record<string, unknown>) => item['label'])).toEqual([
    'billable',
    'severity',
  ])
  expect((await list('label=severity')).items).toEqual([impression])
  const first = await list('limit=1')
  expect((await list(`limit=1&cursor=${first.next_cursor}`)).items).toEqual([impression])
  const [event] = await api.store
    .reader`SELECT data, run_id FROM events WHERE event_name = 'stateward.impression.recorded' ORDER BY seq`
  expect(event).toEqual({ run_id: runId, data: { label: 'severity', value: 'high', basis } })
})

it('is refused for a run or a step that is not there, and to agents', async () => {
  expect((await post({ run_id: 'gone', label: 'severity', value: 1 })).statusCode).toBe(404)
  expect((await post({ run_id: 'labelled', step: 'gone', label: 'severity', value: 1 })).statusCode).toBe(404)
  expect((await post({ label: 'Not a label', value: 1 })).statusCode).toBe(400)
  expect((await post({ label: 'severity', value: 1 }, {})).statusCode).toBe(401)
  expect((await post({ label: 'severity', value: 1 }, asAgent)).statusCode).not.toBe(500)
})

it('keeps impressions by the month, and drops months as a whole', async () => {
  const parts = async () =>
    (await api.store.reader`SELECT relname FROM pg_class WHERE relname LIKE 'impressions_p%' AND relkind = 'r'`).length
  expect(await parts()).toBe(1)
  await oldFootprints(api.store, -86_400_000 * 40).run()
  expect(await parts()).toBe(0)
  await post({ label: 'severity', value: 'low' })
  expect(await parts()).toBe(1)
})

it('sums up the footprints of each day once it is over, and keeps the sums', async () => {
  const days = (count: number) => new Date(api.store.clock.now().getTime() - count * 86_400_000)
  const store = (at: Date, quantity: number, more: object = {}) =>
    transact(api.store, (tx) =>
      insertFootprint(tx, newId(), {
        occurred_at: at,
        env_id: 'default',
        run_id: runId,
        step_id: null,
        source_kind: 'model',
        source_ref: 'small',
        metric: 'tokens_in',
        quantity,
        unit: 'token',
        class: 'billable',
        dims_json: {},
        ...more,
      }),
    )
  await store(days(2), 10)
  await store(days(2), 5.5, { source_ref: 'large' })
  await store(days(1), 1)
  await store(days(0), 1000)
  const chore = footprintsByDay(api.store)
  expect(await chore.run()).toBeGreaterThanOrEqual(2)
  expect(await chore.run()).toBe(0)
  const day = (date: Date) => date.toISOString().slice(0, 10)
  const rollups = async () =>
    (await api.server.app.inject('/api/v1/footprints/rollups?metric=tokens_in')).json().items as object[]
  const summed = [
    { day: day(days(1)), metric: 'tokens_in', class: 'billable', quantity: 1, footprints: 1 },
    { day: day(days(2)), metric: 'tokens_in', class: 'billable', quantity: 15.5, footprints: 2 },
  ]
  expect(await rollups()).toMatchObject(summed)
  await oldFootprints(api.store, -86_400_000 * 40).run()
  expect(await rollups()).toMatchObject(summed)
})
