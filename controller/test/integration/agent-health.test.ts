import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweepTasks } from '../../src/agents/sweep.ts'
import { watchHealth } from '../../src/agents/watch-health.ts'
import { runProgram } from '../../src/cli/program.ts'
import { adminToken, asAda, type Call, joinAs } from '../support/bus-agents.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { SetClock } from '../support/set-clock.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.parse('2027-01-01T00:00:00.000Z')
/** Declared, and started by nobody: tests speak for its instances. */
const quiet = (more: object = {}) => ({
  runtime: { process: { command: ['true'] } },
  replicas: 0,
  heartbeat: { interval: '2m', timeout: '10m' },
  ...more,
})

let here: Installation
let ada: Call
const clock = new SetClock(new Date(START).toISOString())
beforeAll(async () => {
  here = await createInstallation({
    'steady.yaml': agent('steady', quiet({ agentId: '007', displayName: 'Atlas', capabilities: ['linux'] })),
    'naps.yaml': agent('naps', quiet()),
    'dies.yaml': agent('dies', quiet()),
    'paused.yaml': agent('paused', quiet({ suspend: true })),
    'command.yaml': agent('command', PER_TASK),
  })
  await here.start({ limitsPerPrincipal: '100000', limitsTotal: '100000' }, { clock })
  ada = asAda(here)
})
afterAll(() => here.end())

const healthOf = async (name: string) => (await ada('GET', `/api/v1/agents/${name}/health`)).body
const statuses = async (): Promise<Record<string, string>> => {
  const { body } = await ada('GET', '/agents/health')
  return Object.fromEntries(body.items.map((one: { name: string; status: string }) => [one.name, one.status]))
}

describe('the health of agents', () => {
  it('is right over 24 hours of reports, gaps and a death, and each change is told once', async () => {
    const [steady, naps, dies, heir] = [
      await joinAs(here, 'steady'),
      await joinAs(here, 'naps'),
      await joinAs(here, 'dies'),
      await joinAs(here, 'dies', 1),
    ]
    const beat = async (worker: typeof steady, name: string, more: object = {}) => {
      const body = { instance_id: worker.instanceId, status: 'idle', ...more }
      expect((await worker.call('POST', `/agents/${name}/heartbeat`, body)).status).toBe(200)
    }
    const { body: asked } = await ada('POST', '/tasks', { agent: 'dies', prompt: 'outlive me' })
    let held: { task_id: string; attempt: number } | undefined
    for (let minute = 0; minute <= 24 * 60; minute += 2) {
      const time = minute * MINUTE
      clock.set(new Date(START + time))
      await beat(steady, 'steady', { usage: { tokens: minute, cost_usd: `0.${String(minute).padStart(6, '0')}` } })
      // Twelve naps of seven minutes: late, never silent.
      if (minute % 120 > 6) await beat(naps, 'naps')
      if (time === 11 * HOUR) held = (await dies.pickup())[0]
      if (time <= 12 * HOUR)
        await beat(dies, 'dies', { status: 'busy', tasks: held === undefined ? [] : [held.task_id] })
      if (time >= 12 * HOUR) await beat(heir, 'dies')
      await watchHealth(here.stateward.agents.fleet)
      await sweepTasks(here.stateward.agents.fleet)
      const now = await statuses()
      expect(now).toMatchObject({ steady: 'healthy', paused: 'paused', command: 'healthy', dies: 'healthy' })
      // It registered at the very beginning, so its first nap begins two minutes later than the others.
      const isLate = (minute < 120 ? [4, 6] : [2, 4, 6]).includes(minute % 120)
      expect([minute, now['naps']]).toEqual([minute, isLate ? 'late' : 'healthy'])
    }
    const instances = (await healthOf('dies')).instances.map(({ ordinal, health }: Record<string, unknown>) => [
      ordinal,
      health,
    ])
    expect(instances).toEqual([
      [0, 'silent'],
      [1, 'healthy'],
    ])

    // The task went with the silence of whoever had it, and is the heir's now; the dead one comes too late.
    const [second] = await heir.pickup()
    expect(second).toMatchObject({ task_id: asked.task_id, attempt: 2 })
    const late = await dies.report(held!, { status: 'completed', output: 'late' })
    expect([late.status, late.body.error.message]).toEqual([409, 'attempt 1 is over, the task is at attempt 2'])
    expect((await heir.report(second!, { status: 'completed', output: 'in time' })).status).toBe(200)

    const changes = (await here.events()).filter(
      ({ event_name }) => event_name === 'stateward.agent.instance.health_changed',
    )
    const told = (name: string) =>
      changes
        .filter(({ data }) => data['agent'] === name)
        .map(({ data }) => `${data['ordinal']} ${data['from']} ${data['to']}`)
    expect(told('steady')).toEqual([])
    expect(told('naps')).toEqual(Array.from({ length: 12 }, () => ['0 healthy late', '0 late healthy']).flat())
    expect(told('dies')).toEqual([
      '1 healthy late',
      '1 late silent',
      '1 silent healthy',
      '0 healthy late',
      '0 late silent',
    ])
  }, 120_000)

  it('is shown with what agents did and used, for each and in all', async () => {
    const { body: metrics } = await ada('GET', '/agents/steady/metrics')
    expect(metrics).toMatchObject({
      name: 'steady',
      tokens: 1440,
      cost_usd: '0.00144',
      cost_cents: 0.144,
      tasks_completed: 0,
    })
    expect((await ada('GET', '/api/v1/agents/dies/metrics')).body).toMatchObject({
      tasks_completed: 1,
      tasks_failed: 0,
    })
    const tomorrow = new Date(START + 48 * HOUR).toISOString()
    expect((await ada('GET', `/agents/dies/metrics?since=${tomorrow}`)).body).toMatchObject({ tasks_completed: 0 })
    const { body: summary } = await ada('GET', '/agents/metrics/summary')
    expect(summary.agents).toMatchObject({ paused: 1, failed: 0 })
    expect(summary.totals).toMatchObject({ tokens: 1440, tasks_completed: 1 })
    expect(summary.by_agent[0]).toMatchObject({ name: 'steady' })
  })

  it('goes with the list of agents, which are found by uid, number and name', async () => {
    const { body } = await ada('GET', '/api/v1/agents?limit=2')
    const { body: rest } = await ada('GET', `/api/v1/agents?limit=10&cursor=${body.next_cursor}`)
    const names = [...body.items, ...rest.items].map(({ name }: { name: string }) => name)
    expect(names).toEqual(['command', 'dies', 'naps', 'paused', 'steady'])
    const { uid } = here.object('Agent/default/steady')
    for (const reference of ['steady', '007', uid])
      expect((await ada('GET', `/agents/${reference}`)).body).toMatchObject({
        id: uid,
        agent_id: '007',
        display_name: 'Atlas',
        capabilities: ['linux'],
        hosts: ['elsewhere'],
      })
    expect((await ada('GET', '/agents/nobody')).body.error.code).toBe('not_found')
  })

  it('is part of what the command line says of an agent', async () => {
    const env = { STATEWARD_SERVER: here.stateward.url, STATEWARD_TOKEN: adminToken(here) }
    const terminal = fakeTerminal({ env, columns: 80, now: clock.now().toISOString() })
    expect(await runProgram(['describe', 'agent', 'steady'], terminal)).toBe(0)
    expect(terminal.output()).toMatch(/Health:\n +Status: +healthy\n/)
    expect(terminal.output()).toMatch(/Metrics:\n +Tasks: +0 completed/)
    expect(terminal.output()).toContain('1440 tokens, 0.00144 USD')
  })
})
