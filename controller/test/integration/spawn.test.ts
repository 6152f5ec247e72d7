import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { until } from '../support/agent-fleet.ts'
import { adminToken, asAda, type Call, joinAs } from '../support/bus-agents.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, isRunning, PER_TASK, SLEEPER } from '../support/stateward.ts'

const QUIET = {
  runtime: { process: { command: ['true'] } },
  replicas: 0,
  heartbeat: { interval: '1h', timeout: '24h' },
}
const host = (agentSlots: number) => manifest('Host', 'local', { capacity: { agentSlots }, labels: { zone: 'here' } })
const template = (name: string, spec: object) => manifest('AgentTemplate', name, spec)

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    'host.yaml': host(6),
    'boss.yaml': agent('boss', QUIET),
    'other.yaml': agent('other', QUIET),
    'echo.yaml': template('echo', PER_TASK),
    'sleeper.yaml': template('sleeper', { ...SLEEPER, terminationGracePeriodSeconds: 1 }),
    'moon.yaml': template('moon', { ...PER_TASK, hostSelector: { matchLabels: { zone: 'moon' } } }),
    'big.yaml': template('big', { ...PER_TASK, resources: { slots: 7 } }),
  })
  await here.start({ limitsPerPrincipal: '100000' })
  ada = asAda(here)
})
afterAll(() => here.end())

const spawn = (body: object) => ada('POST', '/agents/spawn', body)
const EPHEMERAL = { lifetime: 'ephemeral', parent: 'boss', budget_usd: '0.10', ttl_seconds: 600 }
const rowOf = async (name: string) =>
  (await ada('GET', '/api/v1/agents/spawned?limit=200')).body.items.find((one: { name: string }) => one.name === name)
const gone = (name: string) =>
  until(`${name} to be gone`, () => here.stateward.world.get(`Agent/default/${name}`) === undefined)

async function spawned(body: object) {
  const { status, body: made } = await spawn(body)
  expect(made).toMatchObject({ owner: 'user:ada', ended_at: null, host: 'local' })
  expect(status).toBe(202)
  return made
}

describe('a spawned agent', () => {
  it('is an instance of what is declared, runs, and is not removed by commits', async () => {
    const made = await spawned({ template: 'sleeper', reason: 'more hands' })
    expect(made).toMatchObject({ name: expect.stringMatching(/^sleeper-[a-z2-7]{6}$/), lifetime: 'longLived' })
    const key = `Agent/default/${made.name}`
    const pid = await until('its process', async () => (await here.pids(key))[0])
    await here.apply({ 'note.yaml': agent('note', PER_TASK) })
    await here.post('/api/v1/sources/state/sync', {})
    await here.stateward.settled()
    expect(isRunning(pid)).toBe(true)
    expect(here.stateward.sync.state.plan?.counts.delete ?? 0).toBe(0)
    expect(here.condition('Source/state', 'Ready')?.status).toBe('True')
    expect((await ada('GET', `/agents/${made.name}`)).body).toMatchObject({ template: 'sleeper', status: 'starting' })

    // Also not by a restart: it is adopted as every other agent.
    await here.stop()
    await here.start({ limitsPerPrincipal: '100000', keepAgents: true })
    await until('it again', async () => (await here.pids(key)).length === 1)
    expect((await ada('POST', `/agents/${made.name}/end`)).body).toMatchObject({ end_reason: 'ended' })
    await gone(made.name)
    await until('its process to end', async () => !isRunning(pid))
    expect((await ada('POST', `/agents/${made.name}/end`)).status).toBe(404)
    const told = (await here.events())
      .filter(({ data }) => data['agent'] === made.name)
      .map(({ event_name }) => event_name)
    expect(told).toContain('stateward.agent.spawned')
    expect(told).toContain('stateward.agent.despawned')
  })

  it('that is ephemeral does its task and is gone', async () => {
    const made = await spawned({ template: 'echo', ...EPHEMERAL, task: { prompt: 'once', inputs: { n: 1 } } })
    await gone(made.name)
    expect((await ada('GET', `/tasks/${made.task_id}`)).body).toMatchObject({
      status: 'completed',
      output: { prompt: 'once', inputs: { n: 1 } },
    })
    expect(await rowOf(made.name)).toMatchObject({ end_reason: 'task_ended', parent: 'boss', budget_usd: '0.10' })
  })

  it('that is ephemeral is refused without a parent, a budget and a deadline', async () => {
    const { status, body } = await spawn({ template: 'echo', lifetime: 'ephemeral' })
    expect([status, body.error.code]).toEqual([400, 'validation_failed'])
    expect(body.error.details.violations.map(({ path }: { path: string }) => path)).toEqual([
      'body/parent',
      'body/budget_usd',
      'body/deadline',
    ])
    for (const [more, code] of [
      [{ parent: 'nobody' }, 'not_found'],
      [{ template: 'nothing' }, 'not_found'],
      [{ agent: 'boss' }, 'validation_failed'],
      [{ deadline: '2020-01-01T00:00:00Z', ttl_seconds: undefined }, 'validation_failed'],
      [{ host: 'elsewhere' }, 'not_found'],
    ] as const)
      expect([more, (await spawn({ template: 'echo', ...EPHEMERAL, ...more })).body.error.code]).toEqual([more, code])
  })

  it('ends with its time, its budget or its parent, and its task has failed', async () => {
    const late = await spawned({ template: 'sleeper', ...EPHEMERAL, ttl_seconds: 1, task: { prompt: 'too long' } })
    const dear = await spawned({ agent: 'other', ...EPHEMERAL, task: { prompt: 'costly' } })
    const parent = await spawned({ agent: 'boss' })
    const child = await spawned({ agent: 'other', ...EPHEMERAL, parent: parent.name })
    // Beside the process that is started for it.
    const worker = await joinAs(here, dear.name, 1)
    await worker.pickup()
    await worker.call('POST', `/agents/${dear.name}/heartbeat`, {
      instance_id: worker.instanceId,
      status: 'busy',
      usage: { tokens: 5, cost_usd: '0.11' },
    })
    await ada('POST', `/agents/${parent.name}/end`)
    await gone(late.name)
    await until('the child to go', async () => (await rowOf(child.name)).end_reason === 'parent_gone')
    await until('the dear one to go', async () => (await rowOf(dear.name)).end_reason === 'budget_exceeded')
    expect((await ada('GET', `/tasks/${late.task_id}`)).body).toMatchObject({ error: { code: 'deadline_exceeded' } })
    expect((await ada('GET', `/tasks/${dear.task_id}`)).body).toMatchObject({ error: { code: 'budget_exceeded' } })
    await here.sql`UPDATE instances SET ended_at = ${new Date()}, state = 'ended', end_reason = 'lost' WHERE id = ${worker.instanceId}`
    for (const { name } of [dear, child, parent]) await gone(name)
  })

  it('is charged with what the ledger says of it', async () => {
    const made = await spawned({ agent: 'other', ...EPHEMERAL })
    const cost = { agent: made.name, amount_usd: '0.06', provider: 'x', model: 'y' }
    expect((await ada('POST', '/costs', cost)).status).toBe(201)
    expect((await ada('POST', '/costs', cost)).status).toBe(201)
    await until('it to go', async () => (await rowOf(made.name)).end_reason === 'budget_exceeded')
    await gone(made.name)
  })

  it('gets messages by its name, and has the limits of its parent', async () => {
    await ada('POST', '/agents/boss/constrain', { reason: 'on probation', tools: ['http.*'], tasks_per_minute: 5 })
    const made = await spawned({ agent: 'other', ...EPHEMERAL })
    expect(here.stateward.world.effective(here.object(`Agent/default/${made.name}`))['constraints']).toEqual({
      tools: ['http.*'],
      tasksPerMinute: 5,
    })
    await ada('POST', '/agents/boss/resume', {})
    const sent = await ada('POST', '/messages', { to: { agent: made.name }, body: 'how far are you?' })
    expect([sent.status, sent.body.recipients]).toEqual([201, 1])
    const worker = await joinAs(here, made.name, 1)
    const { body } = await worker.call('GET', '/messages/poll')
    expect(body.messages.map(({ body: text }: { body: string }) => text)).toEqual(['how far are you?'])
    await here.sql`UPDATE instances SET ended_at = ${new Date()}, state = 'ended', end_reason = 'lost' WHERE id = ${worker.instanceId}`
    await ada('POST', `/agents/${made.name}/end`)
    await gone(made.name)
  })

  it('is refused where there is no room, counting what has not started yet', async () => {
    expect((await spawn({ template: 'moon' })).body.error).toMatchObject({ code: 'no_capacity' })
    const { status, body } = await spawn({ template: 'big' })
    expect(status).toBe(409)
    expect(body.error).toMatchObject({ code: 'no_capacity', details: { host: 'local', slots_total: 6 } })
    const made = await Promise.all(Array.from({ length: 8 }, () => spawn({ template: 'sleeper' })))
    const accepted = () => made.filter(({ status }) => status === 202).length
    expect(accepted()).toBeLessThanOrEqual(6)
    // One that is just being placed may be counted twice for a moment.
    await until('all slots to be taken', async () => {
      if (accepted() < 6) made.push(await spawn({ template: 'sleeper' }))
      return accepted() === 6
    })
    expect((await spawn({ template: 'sleeper' })).status).toBe(409)
    for (const { status, body } of made) if (status === 202) await ada('POST', `/agents/${body.name}/end`)
    for (const { status, body } of made) if (status === 202) await gone(body.name)
  })

  it('belongs to the agent that spawned it, which may do no more than that', async () => {
    const [boss, other] = [await joinAs(here, 'boss'), await joinAs(here, 'other')]
    const terms = { template: 'echo', ...EPHEMERAL }
    const own = await boss.call('POST', '/agents/spawn', { ...terms, parent: undefined })
    expect(own.body).toMatchObject({ owner: 'agent:default/boss', parent: 'boss' })
    expect((await boss.call('POST', '/agents/spawn', { ...terms, parent: 'other' })).status).toBe(403)
    expect((await boss.call('POST', '/agents/spawn', { template: 'echo' })).status).toBe(403)
    expect((await other.call('POST', `/agents/${own.body.name}/end`)).status).toBe(403)
    expect((await boss.call('POST', '/agents/other/end')).status).toBe(404)
    expect((await boss.call('POST', `/agents/${own.body.name}/end`)).status).toBe(202)
    await gone(own.body.name)
  })

  it('does not stand deeper in its lineage than four', async () => {
    const chain: string[] = ['boss']
    for (let depth = 0; depth < 4; depth++) {
      const { name } = await spawned({ agent: 'other', ...EPHEMERAL, parent: chain.at(-1) })
      chain.push(name)
    }
    expect((await spawn({ agent: 'other', ...EPHEMERAL, parent: chain.at(-1) })).body.error.code).toBe('forbidden')
    await ada('POST', `/agents/${chain[1]}/end`)
    for (const name of chain.slice(1)) await gone(name)
  })

  it('is spawned, listed and ended from the command line', async () => {
    const run = async (...argv: string[]) => {
      const env = { STATEWARD_SERVER: here.stateward.url, STATEWARD_TOKEN: adminToken(here) }
      const terminal = fakeTerminal({ env, columns: 80, now: new Date().toISOString() })
      expect([await runProgram(argv, terminal), terminal.errors()]).toEqual([0, ''])
      return terminal.output()
    }
    const text = await run('spawn', 'echo', '--ephemeral', '--parent', 'boss', '--budget', '0.5', '--ttl', '10m')
    const [, name] = /Agent: +(echo-\S+)/.exec(text)!
    expect(text).toMatch(/Of: +AgentTemplate echo\n/)
    const table = (await run('spawn', '--list')).split('\n')
    expect(table.find((line) => line.startsWith(name!))).toMatch(/echo +ephemeral +boss +\S+ +lives/)
    expect(table.every((line) => line.length <= 80)).toBe(true)
    expect(await run('spawn', '--end', name!)).toBe(`agent ${name} is being ended\n`)
    await gone(name!)
  })
})
