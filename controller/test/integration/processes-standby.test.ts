import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSite, type ServerProcess, type Site } from '../support/server-processes.ts'
import { agent, manifest } from '../support/state-files.ts'
import { isRunning, SLEEPER } from '../support/stateward.ts'

/** Two controllers on one database and one data folder: `lead` leads, `other` stands by, serves the API and moves runs. */

let site: Site
let lead: ServerProcess
let other: ServerProcess

beforeAll(async () => {
  site = await createSite()
  site.push({
    'agents/helper.yaml': agent('helper', SLEEPER),
    'blueprints/asks.yaml': manifest('Blueprint', 'asks', {
      plan: [{ id: 'ask', kind: 'agent_task', agent: 'helper', prompt: 'help' }],
      outputs: [{ name: 'said', value: '{{ steps.ask.output.said }}' }],
    }),
  })
  lead = await site.start('controller,api', ['--keep-agents'])
  other = await site.start('controller,api,worker', ['--keep-agents'])
}, 60_000)
afterAll(() => site?.end())

const helpers = () =>
  site.sql<{ id: string; pid: number }[]>`
    SELECT id, pid FROM instances WHERE agent = 'helper' AND ended_at IS NULL AND pid IS NOT NULL`
const leaderOf = async (name: string) => {
  const [row] = await site.sql<{ writer: string | null }[]>`SELECT writer FROM leases WHERE name = ${name}`
  return row?.writer ?? null
}
const leads = (server: ServerProcess) =>
  site.until(
    () => leaderOf('controller'),
    (writer) => writer === server.writer,
    'the other process to lead',
  )
const status = async (id: unknown) =>
  (await site.sql<{ status: string }[]>`SELECT status FROM runs WHERE run_id = ${String(id)}`)[0]!.status
const completed = (id: unknown) =>
  site.until(
    () => status(id),
    (seen) => seen === 'completed',
    'the end of the run',
  )

describe('a process that does not lead', () => {
  it('starts runs and takes events', async () => {
    const { body } = await site.post(other, '/api/v1/runs', { blueprint_ref: 'quick' })
    await completed(body['run_id'])
    expect((await site.post(other, '/api/v1/events', { event_name: 'test.wanted', data: {} })).status).toBe(201)
    await site.until(
      () => site.sql`SELECT 1 FROM runs WHERE trigger_event IS NOT NULL AND status = 'completed'`,
      (rows) => rows.length === 1,
      'the run of the event',
    )
  })

  it('has the leader do what only that can, and says what became of it', async () => {
    const target = { kind: 'blueprint', namespace: 'default', name: 'gated' }
    const suspended = await site.post(other, '/api/v1/objects/suspend', { ...target, reason: 'a test' })
    expect(suspended.status, JSON.stringify(suspended.body)).toBe(200)
    expect(suspended.body).toMatchObject({ suspended: true, branch: 'proposals/suspend-blueprint-gated' })
    expect(await site.sql`SELECT actor, value FROM overrides`).toEqual([{ actor: 'user:ada', value: true }])
    expect(await site.post(other, '/api/v1/objects/resume', target)).toMatchObject({ status: 200 })
    const again = await site.post(other, '/api/v1/objects/resume', target)
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } })
    expect(await site.sql`SELECT 1 FROM leader_requests`).toEqual([])
  })

  it('spawns and ends agents, and proposes them, through the leader', async () => {
    const spawned = await site.post(other, '/api/v1/agents/spawn', { agent: 'helper', ttl_seconds: 600 })
    expect(spawned.status, JSON.stringify(spawned.body)).toBe(202)
    expect(spawned.body).toMatchObject({ owner: 'user:ada', deadline: expect.stringMatching(/Z$/), ended_at: null })
    const name = String(spawned.body['name'])
    const lives = () => site.sql`SELECT 1 FROM instances WHERE agent = ${name} AND ended_at IS NULL AND pid IS NOT NULL`
    await site.until(lives, (rows) => rows.length === 1, 'its process')
    expect(await site.post(other, `/api/v1/agents/${name}/end`, {})).toMatchObject({ body: { end_reason: 'ended' } })
    await site.until(lives, (rows) => rows.length === 0, 'its end')
    const spec = { runtime: { process: { command: ['cat'], mode: 'perTask' } } }
    const proposed = await site.post(other, '/api/v1/agents', { name: 'newer', spec })
    expect(proposed).toMatchObject({ status: 202, body: { proposal: { branch: 'proposals/add-agent-newer' } } })
  })

  it('takes the result of a task: the run goes on wherever it is', async () => {
    const [helper] = await site.until(helpers, (rows) => rows.length === 1, 'the agent')
    const environment = readFileSync(`/proc/${helper!.pid}/environ`, 'utf8').split('\0')
    const token = environment.find((entry) => entry.startsWith('STATEWARD_TOKEN='))!.slice('STATEWARD_TOKEN='.length)
    const call = async (method: string, path: string, body: object) => {
      const response = await fetch(other.url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return {
        status: response.status,
        body: (response.status === 204 ? null : await response.json()) as {
          readonly tasks: readonly { readonly task_id: string; readonly attempt: number }[]
        } | null,
      }
    }
    const me = { instance_id: helper!.id }
    expect(await call('POST', '/api/v1/agents/register', { ...me, protocol: 1 })).toMatchObject({ status: 200 })
    const { body: run, status: made } = await site.post(lead, '/api/v1/runs', { blueprint_ref: 'asks' })
    expect(made, JSON.stringify([run, await site.sql`SELECT status FROM objects WHERE name = 'asks'`])).toBe(201)
    const picked = await call('POST', '/api/v1/agents/helper/pickup', { ...me, wait_seconds: 20 })
    const { task_id, attempt } = picked.body!.tasks[0]!
    const report = { attempt, status: 'completed', output: { said: 'yes' } }
    expect(await call('PATCH', `/api/v1/tasks/${task_id}`, report)).toMatchObject({ status: 200 })
    expect(await call('PATCH', `/api/v1/tasks/${task_id}`, report)).toMatchObject({ status: 200 })
    await completed(run['run_id'])
    const [row] = await site.sql`SELECT outputs FROM runs WHERE run_id = ${String(run['run_id'])}`
    expect(row!['outputs']).toEqual({ said: 'yes' })
  })

  it('leads when the leader was killed: it adopts the agents and accepts the next commit', async () => {
    const [helper] = await helpers()
    lead.signal('SIGKILL')
    await leads(other)
    await site.until(
      () => leaderOf('host/local'),
      (writer) => writer === other.writer,
      'the host',
    )
    site.push({
      'blueprints/later.yaml': manifest('Blueprint', 'later', {
        plan: [{ id: 'x', kind: 'transform', expression: '1' }],
      }),
    })
    await site.until(
      () => site.sql`SELECT 1 FROM objects WHERE kind = 'Blueprint' AND name = 'later' AND status ? 'planDigest'`,
      (rows) => rows.length === 1,
      'the next commit',
    )
    expect(isRunning(helper!.pid)).toBe(true)
    expect((await helpers()).map(({ id }) => id)).toEqual([helper!.id])
    expect(
      await site.sql`SELECT 1 FROM events WHERE event_name = 'stateward.agent.instance.adopted' AND data ->> 'pid' = ${String(helper!.pid)}`,
    ).toHaveLength(1)
  }, 60_000)

  it('leads at once when the leader ends, and one leads at any time', async () => {
    lead = await site.start('controller,api', ['--keep-agents'])
    expect(await leaderOf('controller')).toBe(other.writer)
    other.signal('SIGTERM')
    await leads(lead)
    expect(await other.exited).toBe(0)
    const { body } = await site.post(lead, '/api/v1/runs', { blueprint_ref: 'later' })
    // Nobody moves runs now; it waits for one that does.
    expect(await status(body['run_id'])).toBe('created')
    other = await site.start('worker')
    await completed(body['run_id'])
  }, 60_000)

  it('leaves everything to its successor when it stood still: the one that wakes up ends, its agents live', async () => {
    const standby = await site.start('controller,api', ['--keep-agents'])
    const [helper] = await site.until(helpers, (rows) => rows.length === 1, 'the agent')
    lead.signal('SIGSTOP')
    await leads(standby)
    lead.signal('SIGCONT')
    expect(await lead.exited).toBe(70)
    expect(isRunning(helper!.pid)).toBe(true)
    lead = standby
  }, 60_000)
})

describe('roles', () => {
  it('that leave something out need a database that processes share', async () => {
    await expect(site.start('worker', ['--database-url', ''])).rejects.toThrow('ended with 1')
    await expect(site.start('worker,leader')).rejects.toThrow('must be one of controller, api, worker')
  })
})
