import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call, joinAs, type Worker } from '../support/bus-agents.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const QUIET = {
  runtime: { process: { command: ['true'] } },
  replicas: 0,
  heartbeat: { interval: '1h', timeout: '24h' },
}
const told = (expression: string) =>
  manifest('Blueprint', 'told', { plan: [{ id: 'say', kind: 'transform', expression }] })
const reviewed = (name: string, approvers: string[]) =>
  manifest('Blueprint', name, {
    plan: [
      { id: 'work', kind: 'agent_task', agent: 'worker', prompt: 'do it' },
      { id: 'ok', kind: 'gate', mode: 'manual', approvers },
    ],
  })

let here: Installation
let ada: Call
let agents: Readonly<Record<'worker' | 'brain' | 'other', Worker>>
beforeAll(async () => {
  here = await createInstallation({
    'freeze.yaml': manifest('Policy', 'freeze', {
      type: 'window',
      windows: [{ id: 'always', kind: 'deny', schedule: '* * * * *', duration: '1h', kinds: ['Blueprint'] }],
    }),
    'share.yaml': manifest('Policy', 'share', {
      type: 'treasury',
      allocations: [
        {
          id: 'halves',
          effect: 'apply',
          match: { event: 'invoice.*' },
          splits: [
            { to: 'pou:a', type: 'percent', value: 50 },
            { to: 'wallet:b', type: 'percent', value: 50 },
          ],
        },
      ],
    }),
    'told.yaml': told("'one'"),
    'worker.yaml': agent('worker', { ...QUIET, parentRef: { name: 'brain' } }),
    'brain.yaml': agent('brain', QUIET),
    'other.yaml': agent('other', QUIET),
    'named.yaml': reviewed('named', ['agent:other']),
    'by-parent.yaml': reviewed('by-parent', ['parent']),
  })
  await here.start({ limitsPerPrincipal: '100000' })
  ada = asAda(here)
  agents = {
    worker: await joinAs(here, 'worker'),
    brain: await joinAs(here, 'brain'),
    other: await joinAs(here, 'other'),
  }
})
afterAll(() => here.end())

describe('a window', () => {
  it('lets changes wait, visibly, and lets the rest of the commit through', async () => {
    await here.apply({ 'told.yaml': told("'two'"), 'more.yaml': agent('more', QUIET) })
    expect(here.object('Agent/default/more').deleting).toBe(false)
    expect(here.object('Blueprint/default/told').spec).toMatchObject({ plan: [{ expression: "'one'" }] })
    await here.untilCondition('Blueprint/default/told', 'Held', 'True', 'OutsideWindow')
    expect(here.condition('Blueprint/default/told', 'Held')!.message).toContain(
      'policy default/freeze allows no changes while window always is open',
    )
  })

  it('is taken away for a while with a reason, and what waited is applied', async () => {
    const request = { kind: 'policy', name: 'freeze', reason: 'the fix cannot wait', merge: false }
    expect((await here.post('/api/v1/objects/suspend', request)).status).toBe(200)
    await until('the change', async () => {
      await here.post('/api/v1/sources/state/sync', {})
      return JSON.stringify(here.object('Blueprint/default/told').spec).includes("'two'")
    })
    await until('it to say so', () => here.condition('Blueprint/default/told', 'Held') === null)
  })
})

describe('suspendUntil', () => {
  it('suspends an object until then, and lets it go on by itself', async () => {
    const end = new Date(Date.now() + 6_000).toISOString()
    await here.apply({ 'later.yaml': agent('later', { ...PER_TASK, suspendUntil: end }) })
    await here.untilCondition('Agent/default/later', 'Suspended', 'True')
    expect(here.condition('Agent/default/later', 'Suspended')!.message).toBe(`until ${end}`)
    await until('it to go on', () => here.condition('Agent/default/later', 'Suspended') === null)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(end))
  })
})

describe('a treasury', () => {
  it('tells of an event how its amount is meant to be split, once', async () => {
    await ada('POST', '/api/v1/events', { event_name: 'invoice.paid', data: { amount_usd: '100.00' } })
    const found = await until('the allocation', async () => {
      const { body } = await ada('GET', '/api/v1/events?event_name=stateward.treasury.allocated')
      return body.items.length > 0 ? body.items : undefined
    })
    expect(found).toMatchObject([
      {
        data: {
          policy: 'default/share',
          rule: 'halves',
          event_name: 'invoice.paid',
          amount_usd: '100.00',
          splits: [{ to: 'pou:a', value: 50 }, { to: 'wallet:b' }],
        },
      },
    ])
  })
})

describe('an agent at a gate', () => {
  const start = async (blueprint: string) => {
    const { body } = await ada('POST', '/api/v1/runs', { blueprint_ref: blueprint })
    const { worker } = agents
    const [task] = await until('the task', async () => {
      const tasks = await worker.pickup()
      return tasks.length > 0 ? tasks : undefined
    })
    await worker.report(task!, { status: 'completed', output: { text: 'done' } })
    const gate = `${body.run_id}.ok`
    await until('the gate', async () => (await ada('GET', `/api/v1/gates/${gate}`)).status === 200)
    return gate
  }
  const approve = (call: Call, gate: string) => call('POST', `/api/v1/gates/${gate}/approve`, {})

  it('counts where it is named; who worked on it never does', async () => {
    const gate = await start('named')
    expect((await approve(agents.worker.call, gate)).status).toBe(403)
    expect((await approve(agents.brain.call, gate)).status).toBe(403)
    expect((await approve(agents.other.call, gate)).status).toBe(200)
  })

  it('counts as the parent of those who worked on it', async () => {
    const gate = await start('by-parent')
    expect((await approve(agents.other.call, gate)).status).toBe(403)
    expect((await approve(agents.brain.call, gate)).status).toBe(200)
  })
})
