import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

/** Declared, and started by nobody. */
const QUIET = { runtime: { process: { command: ['true'] } }, replicas: 0 }

let here: Installation
beforeAll(async () => {
  here = await createInstallation({ 'quiet.yaml': agent('quiet', QUIET) })
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
const listed = async (query: string) => {
  const { body } = await here.ask('GET', `/api/v1/jobs?${query}`)
  return (body['items'] as { job_id: string }[]).map(({ job_id: id }) => id)
}
const GATE = { id: 'ask', kind: 'gate', mode: 'manual' }

describe('jobs', () => {
  it('are runs and tasks in one list, by where they stand', async () => {
    const waits = await start([GATE])
    const fails = await start([
      { id: 'fail', kind: 'action_task', action: 'process.run', with: { command: ['false'] } },
    ])
    const asks = await start([{ id: 'ask', kind: 'agent_task', agent: 'quiet', prompt: 'do it' }])
    await inState(waits, 'waiting')
    expect(await inState(fails, 'failed')).toMatchObject({ kind: 'run', error: { code: 'tool_failed' }, holder: null })
    const task = await until('the task', async () => (await listed('kind=task'))[0] ?? null)
    expect(await job(task)).toMatchObject({ state: 'pending', target: 'quiet', attempts: 1, run_id: asks, name: null })
    expect((await listed('state=waiting')).toSorted()).toEqual([waits, asks].toSorted())
    const pages: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await here.ask('GET', `/api/v1/jobs?limit=1${cursor}`)
      pages.push(...(body['items'] as { job_id: string }[]).map(({ job_id: id }) => id))
      if (body['next_cursor'] === null) break
      cursor = `&cursor=${String(body['next_cursor'])}`
    }
    expect(pages).toEqual(await listed('limit=100'))
    expect(new Set(pages)).toEqual(new Set([waits, fails, asks, task]))
    for (const verb of ['cancel', 'retry']) {
      const { status, body } = await here.post(`/api/v1/jobs/${task}/${verb}`, {})
      expect([status, (body['error'] as { details: object }).details]).toEqual([
        409,
        expect.objectContaining({ run_id: asks }),
      ])
    }
    expect((await here.post(`/api/v1/jobs/${asks}/cancel`, {})).status).toBe(200)
    await inState(task, 'cancelled')
  })

  it('are cancelled and done again', async () => {
    const run = await start([GATE])
    expect(await here.post(`/api/v1/jobs/${run}/cancel`, { reason: 'not now' })).toMatchObject({ status: 200 })
    await inState(run, 'cancelled')
    const again = await here.post(`/api/v1/jobs/${run}/retry`, {})
    expect(again).toMatchObject({ status: 201, body: { kind: 'run' } })
    expect(again.body['job_id']).not.toBe(run)
    expect((await here.post(`/api/v1/jobs/${String(again.body['job_id'])}/retry`, {})).status).toBe(409)
    const nothing = `${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}`
    expect((await here.ask('GET', `/api/v1/jobs/${nothing}`)).status).toBe(404)
    expect((await here.post(`/api/v1/jobs/${nothing}/cancel`, {})).status).toBe(404)
  })
})
