import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beatingAgent, createHostSite, type HostProcess, type HostSite } from '../support/host-processes.ts'
import { createSite, type ServerProcess, type Site } from '../support/server-processes.ts'
import { manifest } from '../support/state-files.ts'

/** Policies about secrets, where a server and a joined host run. */

let site: Site
let hosts: HostSite
let lead: ServerProcess
let far: HostProcess
const put = (path: string, value: string) => {
  const file = join(site.folder, 'data/secrets', path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `${value}\n`, { mode: 0o600 })
}
beforeAll(async () => {
  site = await createSite()
  put('db/password', 'the-password-of-the-database')
  put('web/key', 'the-key-of-the-web')
  lead = await site.start('controller,api,worker')
  hosts = createHostSite(site, () => lead)
  far = await hosts.join('far', { flags: ['--label', 'zone=eu'] })
}, 60_000)
afterAll(async () => {
  await hosts?.end()
  await site?.end()
})

const vault = (effect: string) =>
  manifest('Policy', 'vault', {
    rules: [
      { id: 'database', match: { action: 'secret.use', expression: "resource.name == 'db/password'" }, effect },
      { id: 'rest', priority: 1000, effect: 'allow' },
    ],
  })
const env = (name: string, key: string) => [{ name: 'SECRET', secretRef: { name, key } }]
const onFar = (name: string, secret: readonly [string, string]) => {
  const text = beatingAgent(site, name, { hostSelector: { matchLabels: { zone: 'eu' } } })
  return text.replace('"process":{', `"process":{"env":${JSON.stringify(env(...secret))},`)
}
const statusOf = async (agent: string) => {
  const [row] = await site.sql<
    { status: unknown }[]
  >`SELECT status FROM objects WHERE kind = 'Agent' AND name = ${agent}`
  return JSON.stringify(row?.status ?? null)
}
const untilStatus = (agent: string, text: string) =>
  site.until(
    () => statusOf(agent),
    (status) => status.includes(text),
    `${agent} to say ${text}`,
  )
const beating = (agent: string) =>
  site.until(
    () => hosts.beats().some((beat) => beat.agent === agent),
    (is) => is,
    `${agent} to live`,
  )
const runOf = async (blueprint: string) => {
  const { body } = await site.post(lead, '/api/v1/runs', { blueprint_ref: blueprint })
  const [run] = await site.until(
    () => site.sql<{ status: string; error: { code: string } | null }[]>`
      SELECT status, error FROM runs WHERE run_id = ${String(body['run_id'])}`,
    ([row]) => row !== undefined && ['completed', 'failed'].includes(row.status),
    'the run to end',
  )
  return run!
}

describe('a policy that denies the use of a secret', () => {
  it('is asked by tools, and by agents of joined hosts, which go on with everything else', async () => {
    site.push({
      'policies/vault.yaml': vault('deny'),
      'agents/good.yaml': onFar('good', ['web', 'key']),
      'agents/bad.yaml': onFar('bad', ['db', 'password']),
      'tools/dump.yaml': manifest('Tool', 'db.dump', {
        executor: { command: { command: ['true'], env: env('db', 'password') } },
      }),
      'blueprints/dump.yaml': manifest('Blueprint', 'dump', {
        plan: [{ id: 'dump', kind: 'action_task', action: 'db.dump', with: {} }],
      }),
    })
    await beating('good')
    await untilStatus('bad', 'denies secret.use')
    expect(await runOf('dump')).toMatchObject({ status: 'failed', error: { code: 'policy_denied' } })
    expect(hosts.beats().some(({ agent }) => agent === 'bad')).toBe(false)
    expect(far.log()).not.toContain('does not know this host')

    const decided = await site.sql<{ effect: string; actor: string }[]>`
      SELECT DISTINCT effect, inputs -> 'subject' ->> 'principal' AS actor FROM policy_decisions
      WHERE action = 'secret.use' AND effect = 'deny' ORDER BY actor`
    expect(decided.map(({ actor }) => actor)).toEqual(['agent:default/bad', 'tool:default/db.dump'])
    const used = await site.sql<{ actor: string; secret: string }[]>`
      SELECT DISTINCT actor, data ->> 'secret' AS secret FROM events WHERE event_name = 'stateward.secret.used'`
    expect(used).toEqual([{ actor: 'agent:default/good', secret: 'web/key' }])

    // What is looked up only to take it out of logs is asked and told on a joined host like any use.
    site.push({ 'policies/vault.yaml': vault('allow') })
    await beating('bad')
    expect(await runOf('dump')).toMatchObject({ status: 'completed' })
  }, 120_000)
})
