import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settleTask } from '../../src/agents/tasks.ts'
import { watchForAlerts } from '../../src/alerts/watch.ts'
import { runProgram } from '../../src/cli/program.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { appendEvents } from '../../src/store/log.ts'
import { transact } from '../../src/store/transact.ts'
import { until } from '../support/agent-fleet.ts'
import { ADMIN_TOKEN, AGENT, AGENT_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'

let api: TestApi
beforeAll(async () => {
  api = await startApi({ listen: true, options: { auth: { mode: 'token', adminToken: ADMIN_TOKEN } } })
})
afterAll(() => api.stop())

type Body = Record<string, unknown>
async function call(method: string, path: string, body?: object, token = ADMIN_TOKEN) {
  const response = await fetch(api.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Body & { items: Body[] } }
}
const keyOf = async (role: string) =>
  String((await call('POST', '/api/v1/keys', { name: `${role}-${uuidv7().slice(-6)}`, roles: [role] })).body['token'])
async function stateward(...argv: string[]) {
  const terminal = fakeTerminal({
    now: new Date().toISOString(),
    env: { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: ADMIN_TOKEN },
  })
  const code = await runProgram(argv, terminal)
  return { code, out: terminal.output(), err: terminal.errors() }
}

describe('alerts', () => {
  it('are raised once under a key, acknowledged, resolved, and then raised anew', async () => {
    const governor = await keyOf('governor')
    const raise = () => call('POST', '/alerts', { severity: 'critical', title: 'disk full', key: 'disk' }, governor)
    const first = await raise()
    expect(first).toMatchObject({ status: 201, body: { state: 'open', count: 1, key: 'manual/default/disk' } })
    expect((await raise()).body).toMatchObject({ id: first.body['id'], count: 2 })
    const path = `/api/v1/alerts/${first.body['id']}`
    const acknowledged = await call('POST', `${path}/ack`, { note: 'on it' }, governor)
    expect(acknowledged).toMatchObject({ status: 200, body: { state: 'acknowledged', note: 'on it' } })
    expect((await call('POST', `${path}/ack`)).status).toBe(200)
    expect((await call('GET', '/api/v1/alerts?state=active')).body.items).toHaveLength(1)
    expect((await call('POST', `${path}/resolve`, undefined, governor)).body).toMatchObject({ state: 'resolved' })
    expect((await call('POST', `${path}/resolve`)).status).toBe(200)
    expect((await call('POST', `${path}/ack`)).status).toBe(409)
    expect((await call('GET', path)).body).toMatchObject({ state: 'resolved', count: 2 })
    expect((await call('GET', '/api/v1/alerts?state=active')).body.items).toEqual([])
    expect((await raise()).body['id']).not.toBe(first.body['id'])
    expect((await call('POST', `/api/v1/alerts/${uuidv7()}/resolve`)).status).toBe(404)
  })

  it('are for everybody to read, and not for everybody to raise', async () => {
    const viewer = await keyOf('viewer')
    expect((await call('GET', '/api/v1/alerts', undefined, viewer)).status).toBe(200)
    expect((await call('POST', '/api/v1/alerts', { severity: 'info', title: 't' }, viewer)).status).toBe(403)
    expect((await call('POST', '/api/v1/alerts', { severity: 'loud', title: 't' })).status).toBe(400)
  })

  it('of rules follow the log, each event once, also over a restart of who watches', async () => {
    const { store } = api
    const emit = (event_name: string, data: object) =>
      transact(store, (tx) =>
        appendEvents(tx, store, [
          {
            event_id: uuidv7(),
            event_name,
            occurred_at: store.clock.now(),
            env_id: 'default',
            actor: 'user:ada',
            correlation_id: 'c',
            resource: { type: 'Intervention', id: 'i' },
            data: data as never,
          },
        ]),
      )
    const id = uuidv7()
    const intervention = { intervention_id: id, namespace: 'default', agent: 'sre', action: 'pause' }
    const issued = { ...intervention, reason: 'r', params: {}, in_force: true, expires_at: null }
    const state = async () => {
      const { items } = (await call('GET', '/api/v1/alerts?agent=sre')).body
      return items.filter(({ key }) => key === `intervention/${id}`).map(({ state, count }) => `${state} ${count}`)
    }
    for (const round of [1, 2]) {
      const watch = watchForAlerts(store)
      if (round === 1) await emit('stateward.intervention.issued', issued)
      else await emit('stateward.intervention.ended', { ...intervention, why: 'resumed' })
      watch.nudge()
      await until('the alert', async () => (await state())[0] === (round === 1 ? 'open 1' : 'resolved 1'))
      await watch.stop()
    }
    expect(await state()).toEqual(['resolved 1'])
  })

  it('are seen and changed on the command line', async () => {
    const raised = await stateward('alerts', 'raise', 'the bill is high', '--severity', 'info', '-o', 'json')
    const { id } = JSON.parse(raised.out) as { id: string }
    expect((await stateward('alerts', '--severity', 'info')).out).toContain(`${id}   info       open`)
    expect((await stateward('alerts', 'ack', id, '--note', 'n')).out).toBe(`alert ${id} is acknowledged\n`)
    expect((await stateward('alerts', 'resolve', id)).out).toBe(`alert ${id} is resolved\n`)
    expect((await stateward('alerts', '--severity', 'info')).out).toBe('no alerts\n')
    expect((await stateward('alerts', 'raise', 'x')).err).toContain('--severity')
    expect((await stateward('alerts', 'shout')).code).toBe(2)
  })
})

describe('costs', () => {
  const DAY = ['2026-03-27T23:59:59.999Z', '2026-03-28T00:00:00.000Z'] as const

  it('are summed by project, agent, model and day, exactly', async () => {
    const rows = [
      { amount_usd: '0.1', agent: 'a', project: 'web', model: 'm1', input_tokens: 10, occurred_at: DAY[0] },
      { amount_usd: '0.2', agent: 'a', project: 'web', model: 'm2', output_tokens: 5, occurred_at: DAY[1] },
      { amount_usd: '0.000000001', agent: 'b', project: 'api', model: 'm1', occurred_at: DAY[1] },
      { amount_usd: 0.25, ticket: 'T-1', occurred_at: DAY[1] },
    ]
    for (const row of rows) expect((await call('POST', '/costs', { namespace: 'sums', ...row })).status).toBe(201)
    const sums = async (query: string) => {
      const { body } = await call('GET', `/costs/summary?namespace=sums&${query}`)
      return body.items.map(({ group, amount_usd }) => [...Object.values(group as object), amount_usd].join(' '))
    }
    // In floats, 0.1 + 0.2 is something else.
    expect(await sums('group_by=agent')).toEqual(['a 0.30', ' 0.25', 'b 0.000000001'])
    expect(await sums('group_by=project,day')).toEqual([
      ' 2026-03-28 0.25',
      'web 2026-03-28 0.20',
      'web 2026-03-27 0.10',
      'api 2026-03-28 0.000000001',
    ])
    expect(await sums('group_by=model&agent=a')).toEqual(['m2 0.20', 'm1 0.10'])
    expect(await sums(`group_by=namespace&since=${DAY[1]}`)).toEqual(['sums 0.450000001'])
    const { body } = await call('GET', `/api/v1/costs/summary?namespace=sums&until=${DAY[1]}`)
    expect(body['total']).toEqual({
      amount_usd: '0.10',
      amount_cents: 10,
      tokens: 10,
      input_tokens: 10,
      output_tokens: 0,
      count: 1,
    })
    const listed = await call('GET', '/api/v1/costs?namespace=sums&limit=3')
    expect(listed.body.items.map(({ amount_cents }) => amount_cents)).toHaveLength(3)
    expect(listed.body['next_cursor']).not.toBeNull()
    expect((await call('GET', '/costs/summary?group_by=amount')).status).toBe(400)
  })

  it('are reported by an agent for itself alone', async () => {
    const own = await call('POST', '/costs', { amount_usd: '1', model: 'm' }, AGENT_TOKEN)
    expect(own).toMatchObject({
      status: 201,
      body: { agent: AGENT.agent, namespace: 'default', recorded_by: AGENT.name },
    })
    expect((await call('POST', '/costs', { amount_usd: '1', agent: 'other' }, AGENT_TOKEN)).status).toBe(403)
    expect((await call('POST', '/costs', { amount_usd: '1', task_id: uuidv7() }, AGENT_TOKEN)).status).toBe(404)
    const viewer = await keyOf('viewer')
    expect((await call('POST', '/costs', { amount_usd: '1' }, viewer)).status).toBe(403)
  })

  it.each(['-1', '1e3', 'much', '0.0000000001', -1])('of %s are refused', async (amount_usd) => {
    expect((await call('POST', '/costs', { amount_usd })).status).toBe(400)
  })

  it('reported with tasks are in the sums', async () => {
    const [task_id, at] = [uuidv7(), api.store.clock.now()]
    await api.store.engine`
      INSERT INTO tasks (task_id, namespace, agent, status, prompt, inputs, correlation_id, created_at)
      VALUES (${task_id}, 'tasks', 'a', 'queued', 'p', '{}', 'c', ${at})`
    const attempt = { task_id, run_id: null, attempt: 1, instance_id: null }
    const done = { status: 'completed', output: {}, sanitized: false } as const
    await transact(api.store, async (tx) => {
      const { events } = await settleTask(tx, api.store, attempt, done, 'agent', { tokens: 1200, costNanoUsd: 180_000 })
      await appendEvents(tx, api.store, [...events])
    })
    const { body } = await call('GET', '/costs/summary?namespace=tasks')
    expect(body.items).toMatchObject([{ group: { agent: 'a' }, amount_usd: '0.00018', tokens: 1200, count: 1 }])
    expect((await call('GET', '/costs?namespace=tasks')).body.items).toMatchObject([{ note: 'reported with its task' }])
  })

  it('cannot be changed, not even by the server', async () => {
    await expect(api.store.engine`UPDATE ledger_entries SET amount = 0`).rejects.toMatchObject({ code: '42501' })
    await expect(api.store.engine`DELETE FROM ledger_entries`).rejects.toMatchObject({ code: '42501' })
  })

  it('are summed up on the command line', async () => {
    const { out } = await stateward('cost', '-n', 'sums', '--by', 'project')
    expect(out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
      'PROJECT USD',
      'web 0.30',
      '- 0.25',
      'api 0.000000001',
      'total 0.550000001',
      '',
    ])
    expect((await stateward('cost', '-n', 'nowhere')).out).toBe('nothing was spent\n')
    expect((await stateward('cost', '--since', 'long')).code).toBe(2)
  })
})
