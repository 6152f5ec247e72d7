import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { beatingAgent, createHostSite, type HostProcess, type HostSite } from '../support/host-processes.ts'
import { createSite, type ServerProcess, type Site } from '../support/server-processes.ts'
import { agent } from '../support/state-files.ts'

/** A server and a host that joined it, each a process of its own, while the fleet is frozen. */

let site: Site
let hosts: HostSite
let lead: ServerProcess
let port: number
let far: HostProcess
const serve = () => site.start('controller,api,worker', ['--host-lease', '6s', '--port', String(port)])

beforeAll(async () => {
  site = await createSite()
  port = await freePort(2)
  lead = await serve()
  hosts = createHostSite(site, () => lead)
  far = await hosts.join('far', { flags: ['--label', 'zone=eu'] })
}, 60_000)
afterAll(async () => {
  await hosts?.end()
  await site?.end()
})

const EU = { hostSelector: { matchLabels: { zone: 'eu' } } }
const ASKER = agent('asker', { runtime: { process: { mode: 'perTask', stdin: 'prompt', command: ['cat'] } }, ...EU })
const beats = (name: string) => hosts.beats().filter((beat) => beat.agent === name)
const beating = (name: string, after: number) =>
  site.until(
    () => beats(name).length,
    (count) => count > after,
    `${name} to live`,
  )
const ask = (prompt: string) =>
  site.sql`
    INSERT INTO tasks (task_id, namespace, agent, status, prompt, inputs, correlation_id, created_at)
    VALUES (gen_random_uuid(), 'default', 'asker', 'queued', ${prompt}, '{}', 'c', now())`
const taskOf = async (prompt: string) =>
  (await site.sql<{ status: string }[]>`SELECT status FROM tasks WHERE prompt = ${prompt}`)[0]!.status
const done = (prompt: string) =>
  site.until(
    () => taskOf(prompt),
    (status) => status === 'completed',
    `the task ${prompt}`,
  )

describe('a joined host of a frozen fleet', () => {
  it('starts nothing and does no task; without the server it ends its agents with its lease; it goes on afterwards', async () => {
    site.push({ 'agents/steady.yaml': beatingAgent(site, 'steady', EU), 'agents/asker.yaml': ASKER })
    await beating('steady', 0)
    await ask('first')
    await done('first')

    expect((await site.post(lead, '/api/v1/fleet/freeze', { reason: 'runaway' })).status).toBe(200)
    await ask('second')
    site.push({ 'agents/late.yaml': beatingAgent(site, 'late', EU) })
    await site.until(
      () => site.sql`SELECT 1 FROM objects WHERE name = 'late'`,
      (rows) => rows.length === 1,
      'late to be accepted',
    )
    // Longer than a host takes to be told of a task, or of an agent, when nothing is frozen.
    await delay(3000)
    expect(await taskOf('second')).toBe('queued')
    expect(beats('late')).toEqual([])
    // What runs is left as it is, like any agent that is paused.
    await beating('steady', beats('steady').length)

    lead.signal('SIGKILL')
    await lead.exited
    await site.until(
      async () => {
        const before = beats('steady').length
        await delay(1500)
        return beats('steady').length - before
      },
      (more) => more === 0,
      'the agents of the host to end with its lease',
    )

    lead = await serve()
    await site.until(
      () => far.log(),
      (log) => log.split('"connected"').length > 2,
      'the host to be connected again',
    )
    const ended = beats('steady').length
    await delay(3000)
    expect(beats('steady')).toHaveLength(ended)
    expect(await taskOf('second')).toBe('queued')

    expect((await site.post(lead, '/api/v1/fleet/unfreeze', {})).status).toBe(200)
    await beating('steady', ended)
    await beating('late', 0)
    await done('second')
  }, 120_000)
})
