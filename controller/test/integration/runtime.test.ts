import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/lib/package-root.ts'
import { until } from '../support/agent-fleet.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const ofStarter = (path: string) => readFile(join(packageRoot(), 'state-repo', path), 'utf8')

let here: Installation
beforeAll(async () => {
  here = await createInstallation({
    'tools/ssh-run.yaml': await ofStarter('tools/ssh-run.yaml'),
    'tools/host-look.yaml': await ofStarter('tools/host-look.yaml'),
  })
  await here.start()
})
afterAll(() => here.end())

/** As it stands in the document that asks for it. */
const REQUEST = {
  plan: [
    { skill: 'http_call', params: { url: '...' } },
    { skill: 'llm_invoke', params: { prompt: '...' } },
  ],
  budget_cents: 100,
}
const ANSWER = {
  feasible: true,
  estimated_cost_cents: 5,
  estimated_duration_ms: 2500,
  step_estimates: [
    { skill_id: 'http_call', estimated_cost_cents: 0, estimated_latency_ms: 500 },
    { skill_id: 'llm_invoke', estimated_cost_cents: 5, estimated_latency_ms: 2000 },
  ],
  budget_remaining_cents: 95,
  budget_sufficient: true,
  risks: [],
}
/** A Tool of the state repo stands before the built-in one of the same name. */
const ONE_OF_OUR_OWN = {
  executor: { command: { command: ['cat'] } },
  aliases: ['llm_invoke'],
  ...{ risk: 'low', sideEffects: 'none', idempotent: true },
  cost: { estimatedCents: 120, estimatedLatencyMs: 100 },
}
const simulate = (body: object) => here.post('/api/v1/runtime/simulate', body)

describe('a simulation', () => {
  it('gives the answer that the tools declare, and another one when a commit changes a cost', async () => {
    const { status, body } = await simulate(REQUEST)
    expect([status, body]).toEqual([200, expect.objectContaining(ANSWER)])
    // What stands for a URL is none: that is said, and keeps nobody from counting.
    expect(body['issues']).toMatchObject([{ severity: 'warning', path: 'body/plan/0/params/url' }])

    await here.apply({ 'tools/llm-invoke.yaml': manifest('Tool', 'llm.invoke', ONE_OF_OUR_OWN) })
    expect((await simulate(REQUEST)).body).toMatchObject({
      feasible: false,
      estimated_cost_cents: 120,
      estimated_duration_ms: 600,
      budget_remaining_cents: -20,
      budget_sufficient: false,
      risks: [{ code: 'over_budget', severity: 'high' }],
    })
    await here.apply({ 'tools/llm-invoke.yaml': null })
    expect((await simulate(REQUEST)).body).toMatchObject(ANSWER)
  })

  it('takes a tool that is not there as an issue, not as a price of 0', async () => {
    const { body } = await simulate({ plan: [{ skill: 'mind_read', params: {} }, REQUEST.plan[1]], budget_cents: 100 })
    expect(body).toMatchObject({
      feasible: false,
      step_estimates: [{ skill_id: 'llm_invoke' }],
      issues: [{ code: 'SW_TOOL_UNKNOWN', severity: 'error', path: 'body/plan/0/skill' }],
    })
  })

  it('looks into loops, and names what could do harm', async () => {
    const { body } = await simulate({
      plan: [
        {
          id: 'each',
          kind: 'foreach',
          items: '[1, 2]',
          plan: [
            { id: 'fix', kind: 'action_task', action: 'ssh.run', with: { host: 'web-1', cmd: 'uptime' } },
            {
              id: 'send',
              kind: 'action_task',
              action: 'http.call',
              with: { url: 'https://x.example', method: 'POST' },
            },
          ],
        },
      ],
    })
    expect(body).toMatchObject({
      feasible: true,
      issues: [],
      budget_remaining_cents: null,
      risks: [
        { code: 'high_risk', step: 'fix' },
        { code: 'irreversible', step: 'send' },
      ],
    })
  })

  it('wants either a plan or a blueprint', async () => {
    expect((await simulate({})).status).toBe(400)
    expect((await simulate({ ...REQUEST, blueprint_ref: 'x' })).status).toBe(400)
    expect((await simulate({ blueprint_ref: 'nothing' })).status).toBe(404)
  })
})

it('lists what can be called, built in and declared, with costs and limits', async () => {
  const { body } = await here.ask('GET', '/api/v1/runtime/capabilities')
  const skills = body['skills'] as { skill_id: string }[]
  expect(skills.map(({ skill_id: id }) => id)).toEqual([...skills.map(({ skill_id: id }) => id)].sort())
  expect(skills).toContainEqual(
    expect.objectContaining({
      skill_id: 'http.call',
      builtin: true,
      estimated_cost_cents: 0,
      estimated_latency_ms: 500,
    }),
  )
  expect(skills).toContainEqual(
    expect.objectContaining({
      skill_id: 'llm.invoke',
      aliases: ['llm_invoke'],
      builtin: true,
      estimated_cost_cents: 5,
    }),
  )
  expect(body['limits']).toEqual({ requests_per_second: 100, total_requests_per_second: 1000 })
})

describe('executing an action', () => {
  const execute = (body: object) => here.post('/api/internal/actions/execute', body)

  it('is a run of one step whose outcome is data', async () => {
    const done = await execute({ action: 'ssh.run', params: { host: 'web-1', cmd: 'uptime' } })
    expect(done).toMatchObject({
      status: 200,
      body: { status: 'completed', output: { rehearsal: true }, error: null },
    })
    const failed = await execute({ action: 'process.run', params: { command: ['sh', '-c', 'exit 3'] } })
    expect(failed).toMatchObject({
      status: 200,
      body: { status: 'failed', output: null, error: { code: 'tool_failed' } },
    })
    const slow = await execute({ action: 'process.run', params: { command: ['sleep', '1'] }, wait_seconds: 0 })
    expect(slow.status).toBe(202)
    expect((await here.ask('GET', `/api/v1/runs/${String(done.body['run_id'])}`)).body).toMatchObject({
      trigger: 'inline',
    })
    expect((await execute({ action: 'nothing' })).status).toBe(400)
  })

  it('is for operators: the Governor gets 403, and both decisions are in the log', async () => {
    const keyOf = async (role: string) =>
      String((await here.post('/api/v1/keys', { name: role.toLowerCase(), roles: [role] })).body['token'])
    const seq = await here.logSeq()
    const as = async (token: string) => {
      const response = await fetch(`${here.stateward.url}/api/internal/actions/execute`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ action: 'ssh.run', params: { host: 'web-1', cmd: 'uptime' } }),
      })
      return response.status
    }
    expect(await as(await keyOf('operator'))).toBe(200)
    expect(await as(await keyOf('Governor'))).toBe(403)
    // Refusals are written after they are answered.
    const told = await until('both to be told', async () => {
      const events = (await here.events(seq)).filter(({ data }) => data['operation'] === 'executeAction')
      return events.length === 2 ? events : null
    })
    expect(told.map(({ event_name: name, actor }) => [name, actor])).toEqual([
      ['stateward.access.allowed', 'key:operator'],
      ['stateward.access.denied', 'key:governor'],
    ])
  })
})

describe('a question about the state', () => {
  const query = (body: object) => here.post('/api/v1/runtime/query', body)

  it('lists rows by their fields, in pages, and counts them', async () => {
    const tools = await query({ from: 'objects', where: { kind: 'Tool' }, limit: 1 })
    expect(tools.body).toMatchObject({ from: 'objects', items: [{ kind: 'Tool', namespace: 'default' }] })
    const next = await query({ from: 'objects', where: { kind: 'Tool' }, limit: 1, cursor: tools.body['next_cursor'] })
    expect(next.body).toMatchObject({ items: [{ kind: 'Tool' }], next_cursor: null })
    const counted = await query({
      from: 'runs',
      where: { trigger: ['inline', 'manual'], blueprint: '' },
      count_by: 'trigger',
    })
    expect(counted.body['items']).toMatchObject([{ value: 'inline' }])
    for (const from of ['agents', 'jobs', 'tasks', 'work_items', 'artifacts'])
      expect((await query({ from, since: '2030-01-01T00:00:00Z' })).body).toMatchObject({ from, items: [] })
  })

  it('is refused for fields there are not, and is never more than a question', async () => {
    const wrong = await query({ from: 'runs', where: { password: 'x' } })
    expect([wrong.status, (wrong.body['error'] as { code: string }).code]).toEqual([400, 'validation_failed'])
    expect((await query({ from: 'runs', count_by: 'inputs' })).status).toBe(400)
    expect((await query({ from: 'secrets' })).status).toBe(400)
    const odd = await query({ from: 'runs', where: { run_id: ["' OR true --", null, 7] } })
    expect([odd.status, odd.body['items']]).toEqual([200, []])
  })
})
