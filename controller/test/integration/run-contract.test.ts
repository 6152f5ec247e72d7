import type { TSchema } from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRun } from '../../src/api/v1/runs/start-run.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { schemaViolations } from '../../src/lib/json-schema.ts'
import { asAdmin, startApi, type TestApi } from '../support/api-server.ts'
import {
  blueprintOf,
  functionTools,
  type RunStack,
  startRunStack,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

// The fields that clients of runs and steps have always been promised: they may grow, and none may go or change.

const uuid = { type: 'string', format: 'uuid' }
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }
const text = { type: 'string' }
const map = { type: 'object' }
const orNull = (schema: JsonObject): JsonObject => ({ anyOf: [schema, { type: 'null' }] })
const object = (properties: Record<string, JsonObject>): JsonObject => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
})
const RUN = object({
  run_id: uuid,
  name: text,
  status: { enum: ['created', 'running', 'completed', 'failed', 'cancelled'] },
  created_at: time,
  started_at: orNull(time),
  completed_at: orNull(time),
  actor: text,
  correlation_id: text,
  inputs: map,
  outputs: orNull(map),
  error: orNull(map),
})
const STEP = object({
  step_id: uuid,
  run_id: uuid,
  name: text,
  status: { enum: ['created', 'running', 'completed', 'failed', 'skipped'] },
  started_at: orNull(time),
  completed_at: orNull(time),
  logs_artifact_id: orNull(uuid),
  inputs: orNull(map),
  outputs: orNull(map),
  error: orNull(map),
})
const pageOf = (item: JsonObject) =>
  object({ items: { type: 'array', items: item }, next_cursor: orNull(text), correlation_id: text })

describe('the contract of runs and steps', () => {
  let api: TestApi
  let stack: RunStack
  const runs: string[] = []
  beforeAll(async () => {
    api = await startApi({
      services: {
        runs: {
          create: async () => ({
            runId: await stack.start(blueprintOf('fix', { plan: [{ id: 'ok', kind: 'gate', mode: 'manual' }] })),
          }),
          cancel: async () => {},
        },
      },
    })
    stack = startRunStack(api.store, functionTools({ echo: { run: (call) => call.with } }))
    const plan = [
      { id: 'call', kind: 'action_task', action: 'echo', with: { a: 1 } },
      { id: 'never', kind: 'transform', expression: '1', if: 'false' },
      { id: 'sum', kind: 'transform', expression: '{"x": 1.5}' },
      { id: 'count', kind: 'transform', expression: '[1, 2]' },
    ]
    const done = await stack.start(
      blueprintOf('done', {
        inputs: [{ name: 'host' }],
        plan,
        outputs: [{ name: 'x', value: '{{ steps.sum.output.x }}' }],
      }),
      { host: 'web-1' },
    )
    const failed = await stack.start(
      blueprintOf('failed', { plan: [{ id: 'bad', kind: 'transform', expression: '1 / 0' }, ...plan] }),
    )
    const waiting = await stack.start(
      blueprintOf('waiting', { plan: [{ id: 'ok', kind: 'gate', mode: 'manual' }, ...plan] }),
    )
    await untilEnded(api.store, done)
    await untilEnded(api.store, failed)
    await untilWaiting(api.store, waiting, 'WaitingForApproval')
    runs.push(done, failed, waiting)
  })
  afterAll(async () => {
    await stack.stop()
    await api.stop()
  })
  const get = async (url: string) => (await api.server.app.inject(url)).json()

  it('holds for every run, whatever became of it', async () => {
    expect(schemaViolations(pageOf(RUN), await get('/api/v1/runs'))).toEqual([])
    for (const runId of runs) expect(schemaViolations(RUN, await get(`/api/v1/runs/${runId}`))).toEqual([])
  })

  it('holds for every step, begun or not', async () => {
    for (const runId of runs) {
      const page = await get(`/api/v1/runs/${runId}/steps`)
      expect(schemaViolations(pageOf(STEP), page)).toEqual([])
      for (const { step_id } of page.items)
        expect(schemaViolations(STEP, await get(`/api/v1/runs/${runId}/steps/${step_id}`))).toEqual([])
    }
  })

  it('takes a run as it was always asked for, and gives it back', async () => {
    const payload = { name: 'asked', blueprint_ref: 'fix', inputs: {}, priority: 0 }
    const response = await api.server.app.inject({ method: 'POST', url: '/api/v1/runs', headers: asAdmin, payload })
    expect(response.statusCode).toBe(201)
    expect(schemaViolations(RUN, response.json())).toEqual([])
    const cancelled = await api.server.app.inject({
      method: 'POST',
      url: `/api/v1/runs/${response.json().run_id}/cancel`,
      headers: asAdmin,
    })
    expect(schemaViolations(RUN, cancelled.json())).toEqual([])
    const { required = [], properties } = startRun.body as unknown as TSchema & {
      readonly required?: readonly string[]
      readonly properties: Record<string, { readonly default?: unknown }>
    }
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(['name', 'blueprint_ref', 'inputs', 'priority']))
    expect(required).not.toContain('inputs')
    expect(properties['priority']!.default).toBe(0)
  })
})
