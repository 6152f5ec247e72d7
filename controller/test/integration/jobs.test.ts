import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

/** Declared, and started by nobody. */
const QUIET = { runtime: { process: { command: ['true'] } }, replicas: 0 }

let here: Installation
beforeAll(async () => {
  here = await createInstallation({ 'quiet.yaml': agent('quiet', QUIET), 'echo.yaml': agent('echo', PER_TASK) })
  await here.start()
})
afterAll(() => here.end())

const job = async (id: unknown) => (await here.ask('GET', `/api/v1/jobs/${String(id)}`)).body
const inState = (id: unknown, state: string) =>
  until(`${String(id)} to be ${state}`, async () => {
    const found = await job(id)
    return found['state'] === state ? found : null
  })
const start = async (plan: readonly object[]) => String((await here.post('/api/v1/runs', { plan })).body['run_id'])
const ask = async (name: string) =>
  String((await here.post('/tasks', { agent: name, prompt: 'do it' })).body['task_id'])
const listed = async (query: string) =>
  ((await here.ask('GET', `/api/v1/jobs?${query}`)).body['items'] as { job_id: string }[]).map(({ job_id: id }) => id)

describe('jobs', () => {
  it('are runs and tasks in one list, by where they stand', async () => {
    const waits = await start([{ id: 'ask', kind: 'gate', mode: 'manual' }])
    const fails = await start([
      { id: 'fail', kind: 'action_task', action: 'process.run', with: { command: ['false'] } },
    ])
    const queued = await ask('quiet')
    const done = await ask('echo')
    await inState(waits, 'waiting')
    await inState(done, 'done')
    expect(await inState(fails, 'failed')).toMatchObject({ kind: 'run', error: { code: 'tool_failed' }, holder: null })
    expect(await inState(queued, 'pending')).toMatchObject({ kind: 'task', target: 'quiet', attempts: 1, run_id: null })
    expect(await listed('state=waiting')).toEqual([waits])
    expect((await listed('kind=task')).toSorted()).toEqual([queued, done].toSorted())
    const pages: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await here.ask('GET', `/api/v1/jobs?limit=1${cursor}`)
      pages.push(...(body['items'] as { job_id: string }[]).map(({ job_id: id }) => id))
      if (body['next_cursor'] === null) break
      cursor = `&cursor=${String(body['next_cursor'])}`
    }
    expect(pages).toEqual(await listed('limit=100'))
    expect(new Set(pages)).toEqual(new Set([waits, fails, queued, done]))
  })

  it('are cancelled and done again, whatever they are', async () => {
    const [run, task] = [await start([{ id: 'ask', kind: 'gate', mode: 'manual' }]), await ask('quiet')]
    for (const id of [run, task]) {
      const { status } = await here.post(`/api/v1/jobs/${id}/cancel`, { reason: 'not now' })
      expect(status).toBe(200)
      await inState(id, 'cancelled')
      const again = await here.post(`/api/v1/jobs/${id}/retry`, {})
      expect(again.status).toBe(201)
      expect(again.body['job_id']).not.toBe(id)
      expect(again.body['kind']).toBe(id === run ? 'run' : 'task')
      const open = await here.post(`/api/v1/jobs/${String(again.body['job_id'])}/retry`, {})
      expect(open.status).toBe(409)
    }
    expect((await here.post(`/api/v1/jobs/${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}/cancel`, {})).status).toBe(
      404,
    )
  })
})

it('the dashboard says in one call how everything stands', async () => {
  const { body: escalation } = await here.post('/escalations', { title: 'who decides?' })
  await here.post('/alerts', { severity: 'critical', title: 'the disk is full', key: 'disk' })
  await here.post('/costs', { agent: 'quiet', amount_usd: '0.50', input_tokens: 10, output_tokens: 2 })
  const { status, body } = await here.ask('GET', '/dashboard')
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({
      agents: {
        by_phase: expect.any(Object),
        items: expect.arrayContaining([expect.objectContaining({ name: 'quiet', open_tasks: 2 })]),
      },
      tasks: { queued: 2, completed: 1, cancelled: 1 },
      runs: expect.objectContaining({ failed: 1 }),
      work: { escalation: 1 },
    }),
  ])
  expect(body['alerts']).toContainEqual(expect.objectContaining({ title: 'the disk is full', state: 'open' }))
  const cost = { amount_usd: '0.50', input_tokens: 10, output_tokens: 2 }
  expect(body['cost']).toMatchObject({ ...cost, by_agent: [{ agent: 'quiet', ...cost }] })
  const waiting = body['attention'] as { kind: string; name: string; message: string }[]
  expect(new Set(waiting.map(({ kind }) => kind))).toEqual(new Set(['escalation', 'gate', 'run']))
  expect(waiting).toContainEqual(
    expect.objectContaining({ kind: 'escalation', name: escalation['name'], message: 'who decides?' }),
  )
  const { body: none } = await here.ask('GET', '/api/v1/dashboard?namespace=other&since=2030-01-01T00:00:00Z')
  expect(none).toMatchObject({
    agents: { by_phase: {}, items: [] },
    tasks: {},
    runs: {},
    work: {},
    alerts: [],
    attention: [],
    cost: { amount_usd: '0.00', by_agent: [] },
  })
})
