import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

/** Each field of a Breaker, as it acts in a running server. */

const open: Installation[] = []
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})
async function installed(files: (dataDir: string) => Readonly<Record<string, string>>): Promise<Installation> {
  const here = await createInstallation({ 'first.yaml': agent('first', PER_TASK) })
  open.push(here)
  await here.start()
  await here.apply(files(here.dataDir))
  return here
}
const breaker = (spec: object) => manifest('Breaker', 'guard', spec)
const runOnce = async (here: Installation, blueprint: string) => {
  const { body } = await here.post('/api/v1/runs', { blueprint_ref: blueprint })
  return until('the run to end', async () => {
    const run = (await here.ask('GET', `/api/v1/runs/${String(body['run_id'])}`)).body
    return ['completed', 'failed'].includes(String(run['status'])) ? run : null
  })
}
const stateOf = async (here: Installation, id: string) =>
  (await here.ask('GET', `/api/v1/breakers/${id}`)).body as Record<string, unknown>
const untilState = (here: Installation, id: string, state: string) =>
  until(`${id} to be ${state}`, async () => {
    const seen = await stateOf(here, id)
    return seen['state'] === state ? seen : null
  })

describe('a Breaker of a tool', () => {
  const failing = (until: string) => {
    const command = ['sh', '-c', `cat >/dev/null; test -e ${until} && echo '{}'`]
    return { trusted: true, executor: { command: { command } } }
  }
  const calling = (tool: string) =>
    manifest('Blueprint', `call-${tool}`, { plan: [{ id: 'a', kind: 'action_task', action: tool, with: {} }] })
  const guarding = (tool: string, cooldown: string) =>
    manifest('Breaker', `guard-${tool}`, {
      selector: { kind: 'Tool', name: tool },
      ...{ metric: 'failures', threshold: 2, window: '1h', action: 'pause', cooldown },
    })

  it('opens at its threshold, and holds calls back', async () => {
    const here = await installed((dataDir) => ({
      'shaky.yaml': manifest('Tool', 'shaky', failing(join(dataDir, 'never'))),
      'call.yaml': calling('shaky'),
      'guard.yaml': guarding('shaky', '1h'),
    }))
    await here.untilCondition('Breaker/default/guard-shaky', 'Ready', 'True')
    expect(await runOnce(here, 'call-shaky')).toMatchObject({ status: 'failed', error: { code: 'tool_failed' } })
    // One is less than two.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect((await here.ask('GET', '/api/v1/breakers/tool:shaky')).status).toBe(404)
    await runOnce(here, 'call-shaky')
    const opened = await untilState(here, 'tool:shaky', 'open')
    expect(opened).toMatchObject({
      ...{ declared_by: 'guard-shaky', effect: 'pause', reason: '2 failed within 60 min', trips: 1 },
    })
    expect(opened['probe_at']).not.toBeNull()
    // What a process read of the breakers counts for a quarter of a second.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await runOnce(here, 'call-shaky')).toMatchObject({ status: 'failed', error: { code: 'breaker_open' } })
  })

  it('tries one call after its cooldown, opens again when that fails, and closes when it works', async () => {
    let works = ''
    const here = await installed((dataDir) => {
      works = join(dataDir, 'works')
      return {
        'shaky.yaml': manifest('Tool', 'shaky', failing(works)),
        'call.yaml': calling('shaky'),
        'guard.yaml': guarding('shaky', '1s'),
      }
    })
    await here.untilCondition('Breaker/default/guard-shaky', 'Ready', 'True')
    await runOnce(here, 'call-shaky')
    await runOnce(here, 'call-shaky')
    const opened = await untilState(here, 'tool:shaky', 'open')

    // The one that is let through fails: it opens again.
    await until('the cooldown', () => Date.now() > Date.parse(String(opened['probe_at'])))
    expect(await runOnce(here, 'call-shaky')).toMatchObject({ status: 'failed', error: { code: 'tool_failed' } })
    const again = await until('it to open again', async () => {
      const seen = await stateOf(here, 'tool:shaky')
      return seen['state'] === 'open' && seen['trips'] === 2 ? seen : null
    })
    writeFileSync(works, '')
    await until('the cooldown', () => Date.now() > Date.parse(String(again['probe_at'])))
    expect(await runOnce(here, 'call-shaky')).toMatchObject({ status: 'completed' })
    await untilState(here, 'tool:shaky', 'closed')
    expect(await runOnce(here, 'call-shaky')).toMatchObject({ status: 'completed' })
  })
})

describe('a Breaker of an agent', () => {
  const spend = (here: Installation, tokens: number, minutesAgo = 0) =>
    here.post('/api/v1/costs', {
      ...{ amount_usd: '0', agent: 'spender', input_tokens: tokens },
      occurred_at: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
    })

  it('counts what is in its window only, and tells of it by an alert where it only notifies', async () => {
    const here = await installed(() => ({
      'spender.yaml': agent('spender', PER_TASK),
      'guard.yaml': breaker({
        selector: { kind: 'Agent', name: 'spender' },
        ...{ metric: 'tokens', threshold: 1500, window: '10m', action: 'notify', manualReset: true },
      }),
    }))
    await here.untilCondition('Breaker/default/guard', 'Ready', 'True')
    expect((await spend(here, 1000, 20)).status).toBeLessThan(300)
    await spend(here, 1000)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect((await here.ask('GET', '/api/v1/breakers/agent:spender')).status).toBe(404)
    await spend(here, 500)
    expect(await untilState(here, 'agent:spender', 'open')).toMatchObject({
      effect: 'notify',
      reason: '1500 tokens were used within 10 min',
      probe_at: null,
    })
    await until('the alert', async () => {
      const { body } = await here.ask('GET', '/api/v1/alerts?state=active')
      return JSON.stringify(body['items']).includes('spender')
    })
    // It only tells: tasks go on.
    const { body } = await here.post('/api/v1/tasks', { agent: 'spender', prompt: 'go on' })
    await until('the task to be done', async () => {
      const [task] = await here.sql<
        { status: string }[]
      >`SELECT status FROM tasks WHERE task_id = ${String(body['task_id'])}`
      return task?.status === 'completed'
    })
    expect((await here.post('/api/v1/breakers/agent:spender/reset', {})).body).toMatchObject({ state: 'closed' })
    // What was before does not count again.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await stateOf(here, 'agent:spender')).toMatchObject({ state: 'closed', trips: 1 })
  })
})
