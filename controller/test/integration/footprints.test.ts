import { afterAll, beforeAll, expect, it } from 'vitest'
import { oldFootprints } from '../../src/records/chores.ts'
import { rollUpDay } from '../../src/store/queries/footprint-rollups.ts'
import { insertFootprint } from '../../src/store/queries/footprints.ts'
import { transact } from '../../src/store/transact.ts'
import { newId, startApi, type TestApi } from '../support/api-server.ts'
import { ASKER, ask, modelStack } from '../support/model-stack.ts'
import { blueprintOf, functionTools, type RunStack, startRunStack, untilEnded } from '../support/run-stack.ts'

let api: TestApi
let stack: RunStack

beforeAll(async () => {
  api = await startApi()
  stack = startRunStack(api.store, functionTools({}))
})
afterAll(async () => {
  await stack.stop()
  await api.stop()
})

const store = (runId: string | null, at: string, quantity: number) =>
  transact(api.store, (tx) =>
    insertFootprint(tx, newId(), {
      occurred_at: new Date(at),
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
    }),
  )
const read = async (query: string) => (await api.server.app.inject(`/api/v1/footprints?${query}`)).json()

it('a run has its count, the count and time of each step that ran, and what was stored beside them', async () => {
  const plan = [
    { id: 'one', kind: 'transform', expression: '1' },
    { id: 'never', kind: 'transform', expression: '1', if: 'false' },
  ]
  const runId = await stack.start(blueprintOf('measured', { plan } as never))
  const { name } = await untilEnded(api.store, runId)
  await store(runId, '2040-01-31T23:59:59.999Z', 12.5)
  const { items, next_cursor } = await read(`run_id=${name}`)
  expect(next_cursor).toBeNull()
  const seen = items.map((item: Record<string, unknown>) => [item['metric'], item['quantity'], item['source_ref']])
  expect(seen).toEqual([
    ['run.count', 1, runId],
    ['step.count', 1, 'one'],
    ['wall_ms', 0, 'one'],
    ['tokens_in', 12.5, 'small'],
  ])
  expect(items[3]).toMatchObject({ occurred_at: '2040-01-31T23:59:59.999Z', unit: 'token', class: 'billable' })
  expect(await read(`run_id=${name}&metric=wall_ms`)).toMatchObject({
    items: [{ unit: 'ms', dims_json: { kind: 'transform' } }],
  })
  const first = await read(`run_id=${name}&limit=3`)
  expect((await read(`run_id=${name}&limit=3&cursor=${first.next_cursor}`)).items).toEqual(items.slice(3))
})

it('stored rows go with their month when it ended long enough ago', async () => {
  const partitions = async () =>
    (
      await api.store.engine<{ name: string }[]>`
        SELECT relname AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'footprint_rows'::regclass ORDER BY 1`
    ).map(({ name }) => name)
  await store(null, '2020-01-31T23:59:59.999Z', 1)
  await store(null, '2020-02-01T00:00:00.000Z', 1)
  expect(await partitions()).toEqual(['footprint_rows_p202001', 'footprint_rows_p202002', 'footprint_rows_p204001'])
  const clock = { now: () => new Date('2020-05-01T00:00:00.000Z'), monotonicMs: () => 0 }
  // 90 days before May 1 is February 1: January is over by then, February is not.
  expect(await oldFootprints({ ...api.store, clock }, 90 * 86_400_000).run()).toBe(1)
  expect(await partitions()).toEqual(['footprint_rows_p202002', 'footprint_rows_p204001'])
})

it('a call of a model has its request and its tokens, summed up by agent, provider and model when its day is over', async () => {
  const clock = { now: () => new Date('2021-03-04T10:00:00.000Z'), monotonicMs: () => 0 }
  const models = modelStack({ ...api.store, clock })
  const script = [
    { match: { lastMessage: 'dear' }, reply: { text: 'ok', usage: { inputTokens: 70, outputTokens: 3 } } },
    { reply: { text: 'ok', usage: { inputTokens: 30, outputTokens: 4 } } },
  ]
  models.provider('rules', { type: 'scripted', models: [{ name: 'demo' }], script } as never)
  const plan = [{ id: 'one', kind: 'transform', expression: '1' }]
  const runId = await stack.start(blueprintOf('asking', { plan } as never))
  const { name } = await untilEnded(api.store, runId)
  const signal = AbortSignal.timeout(10_000)
  const asker = { ...ASKER, run: { id: runId, name } }
  const call = await models.gateway.invoke(ask('dear', { asker }), { signal })
  await models.gateway.invoke(ask('other'), { signal })
  await models.gateway.invoke(ask('nobody asks', { asker: { ...ASKER, agent: null } }), { signal })
  const { items } = await read(`run_id=${name}`)
  expect(items.filter((item: Record<string, unknown>) => item['source_kind'] === 'model')).toMatchObject(
    [
      ['request_count', 1, 'count'],
      ['tokens_in', 70, 'token'],
      ['tokens_out', 3, 'token'],
    ].map(([metric, quantity, unit]) => ({
      source_ref: call.callId,
      ...{ metric, quantity, unit },
      class: 'internal',
      dims_json: {
        'gen_ai.agent.name': 'sre',
        'gen_ai.provider.name': 'scripted',
        'gen_ai.request.model': 'demo',
        provider: 'rules',
      },
    })),
  )
  await transact(api.store, (tx) => rollUpDay(tx, '2021-03-04'))
  const rollups = async (query: string) =>
    (await api.server.app.inject(`/api/v1/footprints/rollups?${query}`)).json().items
  const sum = (metric: string, agent: string | null, quantity: number, footprints: number) => {
    const of = { day: '2021-03-04', source_kind: 'model', agent, provider: 'rules', model: 'demo' }
    return expect.objectContaining({ ...of, metric, quantity, footprints })
  }
  expect(await rollups('model=demo')).toEqual([
    sum('request_count', 'sre', 2, 2),
    sum('request_count', null, 1, 1),
    sum('tokens_in', 'sre', 100, 2),
    sum('tokens_in', null, 30, 1),
    sum('tokens_out', 'sre', 7, 2),
    sum('tokens_out', null, 4, 1),
  ])
  expect(await rollups('agent=sre&metric=tokens_in')).toHaveLength(1)
})
