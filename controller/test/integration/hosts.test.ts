import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { beatingAgent, createHostSite, type HostProcess, type HostSite, overlaps } from '../support/host-processes.ts'
import { createSite, type ServerProcess, type Site } from '../support/server-processes.ts'

/** A server and hosts that joined it, each a process of its own. */

let site: Site
let hosts: HostSite
let lead: ServerProcess
let port: number
let web1: HostProcess
let web2: HostProcess

const serve = (lease: string) =>
  site.start('controller,api,worker', ['--host-lease', lease, '--port', String(port), '--keep-agents'])

beforeAll(async () => {
  site = await createSite()
  port = await freePort(2)
  // Longer than a server takes to start on a busy machine.
  lead = await serve('60s')
  hosts = createHostSite(site, () => lead)
  web1 = await hosts.join('web-1', { flags: ['--label', 'zone=eu', '--slots', '3'] })
  web2 = await hosts.join('web-2', { flags: ['--label', 'zone=eu', '--slots', '3'] })
}, 60_000)
afterAll(async () => {
  if (process.env['SHOW'])
    console.log(
      lead?.log().slice(-6000),
      web1?.log().slice(-3000),
      web2?.log().slice(-1500),
      await site.sql`SELECT * FROM placements`,
      await site.sql`SELECT host,agent,ordinal,created_at,ended_at,end_reason FROM instances`,
      await site.sql`SELECT name,kind,status FROM objects WHERE kind in ('Agent','Source')`,
      await site.sql`SELECT * FROM host_reports`,
    )
  await hosts?.end()
  await site?.end()
})

interface Live {
  readonly id: string
  readonly agent: string
  readonly ordinal: number
  readonly host: string
  readonly pid: number | null
}
const live = (agent: string) =>
  site.sql<Live[]>`
    SELECT id, agent, ordinal, host, pid FROM instances WHERE agent = ${agent} AND ended_at IS NULL ORDER BY ordinal`
const whereIs = async (agent: string) => (await live(agent)).map(({ host, pid }) => (pid === null ? '' : host))
const onHosts = (agent: string, ...names: string[]) =>
  site.until(
    () => whereIs(agent),
    (seen) => JSON.stringify(seen) === JSON.stringify(names),
    `${agent} on ${names.join(', ')}`,
  )
const get = async (path: string) => (await fetch(lead.url + path)).json() as Promise<Record<string, never>>
const events = async (name: string) =>
  (
    await site.sql<{ data: Record<string, unknown> }[]>`SELECT data FROM events WHERE event_name = ${name} ORDER BY seq`
  ).map(({ data }) => data)
/** The server was started again with another lease, which a host hears of with its next heartbeat. */
const shortLeases = () =>
  site.until(
    () =>
      site.sql`SELECT name FROM hosts WHERE connection = 'joined' AND lease_until > clock_timestamp() + interval '7 s'`,
    (rows) => rows.length === 0,
    'short leases',
  )
const EU = { hostSelector: { matchLabels: { zone: 'eu' } } }

describe('hosts that joined', () => {
  it('say what they have, and walk the phases of their start', async () => {
    const list = await site.until(
      () => get('/api/v1/hosts'),
      ({ items }) =>
        (items as unknown as { boot_phase: string }[]).filter((one) => one.boot_phase === 'Autonomy').length === 3,
      'every host in Autonomy',
    )
    const [local, one] = list['items'] as unknown as Record<string, never>[]
    expect(local).toMatchObject({ name: 'local', connection: 'local', ready: true })
    expect(one).toMatchObject({
      name: 'web-1',
      connection: 'joined',
      labels: { zone: 'eu' },
      slots: { total: 3, used: 0 },
    })
    expect(one!['hardware']).toMatchObject({ cpu: expect.any(Number), memory: expect.any(Number) })
    expect(one!['boot_duration_ms']).toBeGreaterThan(0)
    expect(await get('/hosts/web-1/capacity')).toMatchObject({ slots_total: 3, slots_used: 0, slots_free: 3 })
    const phases = (await events('stateward.host.phase.reached')).filter(({ host }) => host === 'web-1')
    expect(phases.at(-1)).toMatchObject({ phase: 'Autonomy' })
  })

  it('get the replicas of an agent spread over them, start them again when they end, and show their logs', async () => {
    site.push({ 'agents/spread.yaml': beatingAgent(site, 'spread', { replicas: 2, ...EU }) })
    await onHosts('spread', 'web-1', 'web-2')
    const [first] = await live('spread')
    process.kill(-first!.pid!, 'SIGKILL')
    await site.until(
      () => live('spread'),
      (rows) => rows.length === 2 && rows[0]!.id !== first!.id && rows[0]!.pid !== null,
      'another process of the replica',
    )
    const log = await fetch(`${lead.url}/api/v1/agents/spread/log?tail_lines=2`)
    expect(await log.text()).toMatch(/^(beat of [01]\n)+$/)
    expect(overlaps(hosts.beats())).toEqual([])
  })

  it('adopt their agents when their own process is killed, within the lease', async () => {
    const before = await live('spread')
    web1.signal('SIGKILL')
    await web1.exited
    web1 = await hosts.join('web-1')
    await site.until(
      () => events('stateward.agent.instance.adopted'),
      (adopted) => adopted.some((one) => one['host'] === 'web-1'),
      'an adopted agent',
    )
    expect(await live('spread')).toEqual(before)
  })

  it('keep their agents through the death of the controller', async () => {
    const before = await live('spread')
    lead.signal('SIGKILL')
    await lead.exited
    lead = await serve('6s')
    const beats = hosts.beats().length
    await site.until(
      () => hosts.beats().length,
      (now) => now > beats + 20,
      'more signs of life',
    )
    expect(await live('spread')).toEqual(before)
    expect(overlaps(hosts.beats())).toEqual([])
  })

  it('are drained: what ran there runs elsewhere, one after the other', async () => {
    const { status, body } = await site.post(lead, '/api/v1/hosts/web-2/drain', {})
    expect(status, JSON.stringify(body)).toBe(200)
    await onHosts('spread', 'web-1', 'web-1')
    const drained = await site.until(
      () => get('/api/v1/hosts/web-2'),
      (host) => (host['drain'] as unknown as { completed_at: string | null } | null)?.completed_at != null,
      'the end of the drain',
    )
    expect(drained).toMatchObject({ schedulable: false, drain: { remaining: 0 } })
    expect(await get('/hosts/web-2/capacity')).toMatchObject({ slots_free: 0 })
    await site.post(lead, '/api/v1/hosts/web-2/uncordon', {})
    expect(overlaps(hosts.beats())).toEqual([])
  })

  it('fail closed when their process is killed and nobody takes over: the guard ends their agents before others begin', async () => {
    await shortLeases()
    web1.signal('SIGKILL')
    await web1.exited
    await onHosts('spread', 'web-2', 'web-2')
    expect(await events('stateward.host.lease.expired')).toHaveLength(1)
    expect(overlaps(hosts.beats())).toEqual([])
    web1 = await hosts.join('web-1')
  })

  it('fail closed when their process hangs', async () => {
    web2.signal('SIGSTOP')
    await onHosts('spread', 'web-1', 'web-1')
    web2.signal('SIGCONT')
    await site.until(
      () => web2.log(),
      (text) => text.split('"connected"').length > 2,
      'a new session',
    )
    expect(overlaps(hosts.beats())).toEqual([])
  })
})
