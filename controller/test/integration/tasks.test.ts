import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { until } from '../support/agent-fleet.ts'
import { adminToken, asAda, type Call, joinAs } from '../support/bus-agents.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

/** Declared, and started by nobody: tests speak for its instances. */
const QUIET = {
  runtime: { process: { command: ['true'] } },
  replicas: 0,
  heartbeat: { interval: '1h', timeout: '24h' },
}
const NAMES = ['crowd', 'lead', 'part', 'flaky', 'moved', 'taker', 'listed']

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    ...Object.fromEntries(NAMES.map((name) => [`${name}.yaml`, agent(name, QUIET)])),
    'echo.yaml': agent('echo', PER_TASK),
  })
  await here.start({ limitsPerPrincipal: '100000', limitsTotal: '100000' })
  ada = asAda(here)
})
afterAll(() => here.end())

async function ask(agentName: string, more: object = {}): Promise<string> {
  const { status, body } = await ada('POST', '/tasks', { agent: agentName, prompt: 'do it', ...more })
  expect(body).toMatchObject({ status: 'queued', attempt: 1, created_by: 'user:ada' })
  expect(status).toBe(201)
  return body.task_id
}
const taskOf = async (id: string) => (await ada('GET', `/api/v1/tasks/${id}`)).body
const eventsOf = async (id: string) =>
  (await here.events())
    .filter(({ event_name, data }) => event_name.startsWith('stateward.task.') && data['task_id'] === id)
    .map(({ event_name }) => event_name.slice('stateward.task.'.length))

describe('tasks', () => {
  it('a hundred of them go to ten pickers, each to one', async () => {
    const asked = await Promise.all(Array.from({ length: 100 }, () => ask('crowd')))
    const workers = await Promise.all(Array.from({ length: 10 }, (_, ordinal) => joinAs(here, 'crowd', ordinal)))
    const taken = await Promise.all(
      workers.map(async (worker) => {
        const own: string[] = []
        for (;;) {
          const tasks = await worker.pickup(1 + Math.floor(Math.random() * 3))
          if (tasks.length === 0) return own
          own.push(...tasks.map(({ task_id }) => task_id))
        }
      }),
    )
    expect(taken.flat().toSorted()).toEqual(asked.toSorted())
    const { body } = await ada('GET', '/api/v1/agents/crowd/tasks?limit=1')
    expect(body.items).toMatchObject([{ status: 'leased', attempt: 1 }])
  })

  it('are done by a command for each, as they are asked for', async () => {
    const id = await ask('echo', { inputs: { n: 1 } })
    await until('the answer', async () => (await taskOf(id)).status === 'completed')
    expect(await taskOf(id)).toMatchObject({ output: { task_id: id, inputs: { n: 1 } }, progress: null })
    expect(await eventsOf(id)).toEqual(['created', 'leased', 'completed'])
  })

  it('have parts: the whole counts them, carries their results, and its agent hears of each', async () => {
    const whole = await ask('lead')
    const lead = await joinAs(here, 'lead')
    const part = await joinAs(here, 'part')
    const [held] = await lead.pickup()
    const bodies = ['a', 'b', 'c'].map((prompt) => ({ agent: 'part', prompt, parent_task_id: whole, max_attempts: 1 }))
    for (const body of bodies) expect((await lead.call('POST', '/tasks', body)).status).toBe(201)
    expect(await taskOf(whole)).toMatchObject({ progress: { done: 0, total: 3, failed: 0 } })
    const [a, b, c] = await part.pickup(3)
    await part.report(a!, { status: 'completed', output: { is: 'a' }, usage: { tokens: 7, cost_usd: '0.002' } })
    const error = { code: 'no_idea', message: 'cannot say', retryable: true }
    await part.report(b!, { status: 'failed', error })
    const seen = (await lead.call('GET', `/api/v1/tasks/${whole}`)).body
    expect(seen).toMatchObject({
      progress: { done: 2, total: 3, failed: 1 },
      parts: [
        { prompt: 'a', status: 'completed', output: { is: 'a' } },
        { prompt: 'b', status: 'failed', error },
        { prompt: 'c', status: 'leased', output: null },
      ],
    })
    expect(await taskOf(a!.task_id)).toMatchObject({ usage: { tokens: 7, cost_usd: '0.002' }, parent_task_id: whole })
    // What ended stays ended: tried again it is one part more.
    const again = await ada('POST', `/api/v1/tasks/${b!.task_id}/retry`)
    expect(again.body).toMatchObject({ status: 'queued', attempt: 1, retry_of: b!.task_id, prompt: 'b' })
    expect((await ada('POST', `/api/v1/tasks/${b!.task_id}/retry`)).body.error).toMatchObject({ code: 'conflict' })
    expect(await taskOf(whole)).toMatchObject({ progress: { done: 2, total: 4, failed: 1 } })
    await lead.report(held!, { status: 'failed', error: { code: 'gave_up', message: 'enough' } })
    await until('its parts to end', async () => (await taskOf(c!.task_id)).status === 'cancelled')
    await until('its parts to end', async () => (await taskOf(again.body.task_id)).status === 'cancelled')
    expect(await taskOf(whole)).toMatchObject({ progress: { done: 4, total: 4, failed: 3 } })
    expect((await ada('POST', '/tasks', bodies[0])).body.error).toMatchObject({ code: 'conflict' })
    const told = (await here.events()).filter(
      ({ event_name, data }) => event_name === 'stateward.task.progressed' && data['task_id'] === whole,
    )
    expect(told.map(({ data }) => [data['agent'], data['part_status'], data['done']])).toEqual([
      ['lead', 'completed', 1],
      ['lead', 'failed', 2],
      ['lead', 'cancelled', 3],
      ['lead', 'cancelled', 4],
    ])
  })

  it("of others are nobody's business to an agent", async () => {
    const [lead, part] = [await joinAs(here, 'lead', 1), await joinAs(here, 'part', 1)]
    const foreign = await ask('lead')
    for (const path of [`/tasks/${foreign}`, `/tasks?parent_task_id=${foreign}`, '/agents/lead/tasks'])
      expect((await part.call('GET', path)).status).toBe(404)
    const body = { agent: 'part', prompt: 'x' }
    expect((await part.call('POST', '/tasks', body)).status).toBe(403)
    expect((await part.call('POST', '/tasks', { ...body, parent_task_id: foreign })).status).toBe(403)
    // Its own agent's, but not leased to it.
    expect((await lead.call('POST', '/tasks', { ...body, parent_task_id: foreign })).status).toBe(403)
    expect((await lead.call('POST', `/tasks/${foreign}/cancel`)).status).toBe(403)
    expect(
      (await part.call('GET', '/tasks')).body.items.every((task: { agent: string }) => task.agent === 'part'),
    ).toBe(true)
  })

  it('that fail for the moment are tried again after a while, as often as was asked', async () => {
    const id = await ask('flaky', { max_attempts: 2, retry_delay_seconds: 0.3 })
    const worker = await joinAs(here, 'flaky')
    const [first] = await worker.pickup()
    const failure = { status: 'failed', error: { code: 'busy', message: 'not now', retryable: true } }
    expect((await worker.report(first!, failure)).status).toBe(200)
    expect(await taskOf(id)).toMatchObject({ status: 'queued', attempt: 2, not_before: expect.any(String) })
    expect(await worker.pickup()).toEqual([])
    const second = await until('its time', async () => (await worker.pickup())[0])
    expect((await worker.report(first!, failure)).body.error.message).toContain('attempt 1 is over')
    expect(second.attempt).toBe(2)
    await worker.report(second, failure)
    expect(await taskOf(id)).toMatchObject({ status: 'failed', error: { code: 'busy' } })
    expect(await eventsOf(id)).toEqual(['created', 'leased', 'requeued', 'leased', 'failed'])
  })

  it('go from one agent to another, and nobody listens to the first', async () => {
    const id = await ask('moved')
    const [moved, taker] = [await joinAs(here, 'moved'), await joinAs(here, 'taker')]
    const [held] = await moved.pickup()
    expect((await ada('POST', `/api/v1/tasks/${id}/assign`, { agent: 'taker' })).body).toMatchObject({
      agent: 'taker',
      status: 'queued',
      attempt: 2,
    })
    expect((await moved.report(held!, { status: 'completed', output: 1 })).status).toBe(404)
    const [task] = await taker.pickup()
    expect((await taker.report(task!, { status: 'completed', output: 2 })).status).toBe(200)
    expect(await eventsOf(id)).toEqual(['created', 'leased', 'reassigned', 'leased', 'completed'])
    for (const verb of ['cancel', 'retry'])
      expect((await ada('POST', `/api/v1/tasks/${id}/${verb}`)).body.error.code).toBe('conflict')
    expect((await ada('POST', `/api/v1/tasks/${id}/assign`, { agent: 'moved' })).body.error.code).toBe('conflict')
  })

  it('are refused for agents that are not there, and with what makes no sense', async () => {
    const refused = async (body: object) =>
      (await ada('POST', '/api/v1/tasks', { agent: 'listed', prompt: 'x', ...body })).body.error.code
    expect(await refused({ agent: 'nobody' })).toBe('not_found')
    expect(await refused({ deadline: '2020-01-01T00:00:00Z' })).toBe('bad_request')
    expect(await refused({ output_schema: { type: 'nonsense' } })).toBe('validation_failed')
    expect(await refused({ parent_task_id: '01983a4e-6d01-7d22-b483-2f1e0d9c8b65' })).toBe('not_found')
    expect(await refused({ prompt: '' })).toBe('validation_failed')
  })

  it('are asked for, handed over, cancelled and repeated from the command line', async () => {
    const run = async (...argv: string[]) => {
      const env = { STATEWARD_SERVER: here.stateward.url, STATEWARD_TOKEN: adminToken(here) }
      const terminal = fakeTerminal({ env, now: new Date().toISOString() })
      return { code: await runProgram(argv, terminal), out: terminal.output(), err: terminal.errors() }
    }
    const answer = await run('task', 'ask', 'echo', 'say it back', '--input', 'n=1', '--wait')
    expect([answer.code, answer.err, JSON.parse(answer.out)]).toMatchObject([
      0,
      '',
      { prompt: 'say it back', inputs: { n: 1 } },
    ])
    const asked = await run('task', 'ask', 'listed', 'later')
    const [, id] = /^task (\S+) waits for listed/.exec(asked.out)!
    expect((await run('task', 'assign', id!, 'taker')).out).toBe(`task ${id} waits for taker\n`)
    expect((await run('task', 'cancel', id!)).out).toBe(`task ${id} is cancelled\n`)
    const [, next] = /goes on as (\S+)/.exec((await run('task', 'retry', id!)).out)!
    expect(await taskOf(next!)).toMatchObject({ retry_of: id, agent: 'taker', status: 'queued' })
    await run('task', 'cancel', next!)
    expect((await run('task', 'retry', id!)).err).toContain('goes on as')
    expect((await run('task', 'ask', 'listed')).code).toBe(2)
    expect((await run('task', 'ask', 'nobody', 'x')).err).toContain('there is no agent nobody')
  })

  it('are listed in pages and shown by the command line', async () => {
    const ids = [await ask('listed'), await ask('listed'), await ask('listed', { prompt: 'the last one' })]
    const first = await ada('GET', '/api/v1/tasks?agent=listed&limit=2')
    const rest = await ada('GET', `/api/v1/tasks?agent=listed&limit=2&cursor=${first.body.next_cursor}`)
    const listed = [...first.body.items, ...rest.body.items].map(({ task_id }: { task_id: string }) => task_id)
    expect(listed).toEqual(ids.toReversed())
    expect(rest.body.next_cursor).toBeNull()
    expect((await ada('POST', `/api/v1/tasks/${ids[2]}/cancel`)).body.status).toBe('cancelled')
    const run = async (...argv: string[]) => {
      const env = { STATEWARD_SERVER: here.stateward.url, STATEWARD_TOKEN: adminToken(here) }
      const terminal = fakeTerminal({ env, columns: 80, now: new Date().toISOString() })
      expect([await runProgram(argv, terminal), terminal.errors()]).toEqual([0, ''])
      return terminal.output()
    }
    const table = (await run('get', 'tasks', '-l', 'stateward.dev/agent=listed')).trim().split('\n')
    expect(table).toHaveLength(4)
    expect(table.every((line) => line.length <= 80)).toBe(true)
    expect(table[0]).toMatch(/NAME +STATUS +AGENT +TRY +PARTS +AGE/i)
    const story = await run('describe', 'task', ids[2]!)
    expect(story).toMatch(/Status: +cancelled/)
    expect(story).toContain('the last one')
    expect(story).toContain('task.cancelled')
    expect(JSON.parse(await run('describe', 'task', ids[0]!, '-o', 'json'))).toMatchObject({
      task: { agent: 'listed' },
    })
  })
})
