import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call, callerWith } from '../support/bus-agents.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const EXTERNAL = { runtime: { external: {} }, heartbeat: { interval: '1s', timeout: '3s' } }
const declared = (name: string, spec: object) => manifest('Agent', name, spec)

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    'remote.yaml': declared('remote', { ...EXTERNAL, replicas: 2 }),
    'short.yaml': declared('short', { ...EXTERNAL, terminationGracePeriodSeconds: 0 }),
    'ours.yaml': agent('ours', { replicas: 0 }),
    'closed.yaml': manifest('Environment', 'closed', {}),
    'default.yaml': manifest('Environment', 'default', { registration: { allowUndeclared: true } }),
  })
  await here.start({ limitsPerPrincipal: '100000' })
  ada = asAda(here)
})
afterAll(() => here.end())

const register = (body: object) => ada('POST', '/agents/register', { protocol: 1, ...body })

async function bound(name: string, more: object = {}) {
  const { status, body } = await register({ agent: name, ...more })
  expect([status, body.error]).toEqual([201, undefined])
  return { ...body, call: callerWith(here, body.token) } as { instance_id: string; token: string; call: Call }
}

describe('an agent that registers itself', () => {
  it('gets a token of its own, does tasks, and takes its place again with a new token', async () => {
    const one = await bound('remote', { host: 'laptop' })
    expect(one).toMatchObject({ heartbeat_seconds: 1, spec: { runtime: { external: {} } } })
    expect((await ada('GET', '/agents/remote')).body).toMatchObject({
      mode: 'external',
      status: 'degraded',
      hosts: ['external/laptop'],
    })
    const { body: asked } = await ada('POST', '/tasks', { agent: 'remote', prompt: 'far away' })
    const picked = await one.call('POST', '/agents/remote/pickup', { instance_id: one.instance_id })
    expect(picked.body.tasks).toMatchObject([{ task_id: asked.task_id, prompt: 'far away' }])
    const result = { attempt: 1, status: 'completed', output: 'done' }

    const again = await register({ agent: 'remote', instance_id: one.instance_id })
    expect([again.status, again.body.instance_id]).toEqual([200, one.instance_id])
    expect((await one.call('PATCH', `/tasks/${asked.task_id}`, result)).status).toBe(401)
    const call = callerWith(here, again.body.token)
    expect((await call('PATCH', `/tasks/${asked.task_id}`, result)).status).toBe(200)
    // Its own registration again, as every instance may.
    const own = await call('POST', '/agents/register', { instance_id: one.instance_id, protocol: 1 })
    expect(own.body).toMatchObject({
      agent_id: here.object('Agent/default/remote').uid,
      spec: { runtime: { external: {} } },
    })
    expect((await call('POST', '/agents/deregister', { instance_id: one.instance_id })).status).toBe(204)
    expect((await call('POST', '/agents/deregister', { instance_id: one.instance_id })).status).toBe(401)
  })

  it('has as many places as replicas, and a silent one loses its place and its task', async () => {
    const [one, two] = [await bound('remote'), await bound('remote')]
    expect((await register({ agent: 'remote' })).body.error).toMatchObject({ code: 'conflict' })
    const { body: asked } = await ada('POST', '/tasks', { agent: 'remote', prompt: 'outlive me' })
    expect((await one.call('POST', '/agents/remote/pickup', { instance_id: one.instance_id })).body.tasks).toHaveLength(
      1,
    )
    const beat = () => two.call('POST', '/agents/remote/heartbeat', { instance_id: two.instance_id, status: 'idle' })
    const second = await until('the task to come', async () => {
      await beat()
      return (await two.call('POST', '/agents/remote/pickup', { instance_id: two.instance_id })).body?.tasks[0]
    })
    expect(second).toMatchObject({ task_id: asked.task_id, attempt: 2 })
    expect((await one.call('PATCH', `/tasks/${asked.task_id}`, { attempt: 1, status: 'completed' })).status).toBe(401)
    expect((await two.call('PATCH', `/tasks/${asked.task_id}`, { attempt: 2, status: 'completed' })).status).toBe(200)
    const three = await bound('remote')
    for (const { call, instance_id } of [two, three]) await call('POST', '/agents/deregister', { instance_id })
  }, 30_000)

  it('is told to go when its agent is removed', async () => {
    const one = await bound('short')
    here.push({ 'short.yaml': null })
    await here.post('/api/v1/sources/state/sync', {})
    await until('it to be gone', () => here.stateward.world.get('Agent/default/short') === undefined)
    expect(
      (await one.call('POST', '/agents/short/heartbeat', { instance_id: one.instance_id, status: 'idle' })).status,
    ).toBe(401)
  })

  it('is proposed when it is not declared and its environment allows that', async () => {
    const asked = { agent: 'newcomer', description: 'comes from afar', capabilities: ['travel'] }
    const { status, body } = await register(asked)
    expect([status, body.proposal.branch]).toEqual([202, 'proposals/add-agent-newcomer'])
    expect((await register(asked)).body.proposal).toEqual({ ...body.proposal, reused: true })
    expect(here.stateward.world.get('Agent/default/newcomer')).toBeUndefined()
    git(here.repo, ['update-ref', 'refs/heads/main', tipOf(here.repo, body.proposal.branch)!])
    await here.post('/api/v1/sources/state/sync', {})
    await here.stateward.settled()
    expect(here.object('Agent/default/newcomer')).toMatchObject({
      spec: { description: 'comes from afar', capabilities: ['travel'], runtime: { external: {} } },
      annotations: { 'stateward.dev/origin': 'registered' },
    })
    const one = await bound('newcomer')
    expect((await one.call('POST', '/agents/deregister', { instance_id: one.instance_id })).status).toBe(204)
  })

  it('is refused where that is not allowed, and where a host starts the processes', async () => {
    expect((await register({ agent: 'newcomer2', namespace: 'closed' })).body.error.code).toBe('not_found')
    expect((await register({ agent: 'ours' })).body.error).toMatchObject({ code: 'conflict' })
    expect((await register({ agent: 'remote', instance_id: here.object('Agent/default/ours').uid })).status).toBe(201)
    expect((await register({ agent: 'bad name' })).status).toBe(400)
    expect((await register({ instance_id: here.object('Agent/default/ours').uid })).status).toBe(403)
    expect((await register({})).status).toBe(400)
  })
})
