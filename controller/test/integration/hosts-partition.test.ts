import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../../src/lib/process-identity.ts'
import {
  beatingAgent,
  createHostSite,
  guardOf,
  type HostProcess,
  type HostSite,
  overlaps,
  type StallingProxy,
  stallingProxy,
} from '../support/host-processes.ts'
import { createSite, type ServerProcess, type Site } from '../support/server-processes.ts'

/** Hosts that lose sight of the server while both live on. */

/** The server's address in the network of the last test. */
const ISLAND = '10.213.77.1'
let site: Site
let hosts: HostSite
let lead: ServerProcess
let proxy: StallingProxy
let far: HostProcess
let near: HostProcess

beforeAll(async () => {
  site = await createSite()
  lead = await site.start('controller,api,worker', ['--host-lease', '6s', '--names', ISLAND])
  hosts = createHostSite(site, () => lead)
  proxy = await stallingProxy(lead.url)
  far = await hosts.join('far', { url: proxy.url, flags: ['--label', 'zone=eu'] })
}, 60_000)
afterAll(async () => {
  await hosts?.end()
  await proxy?.close()
  await site?.end()
})

const EU = { hostSelector: { matchLabels: { zone: 'eu' } } }
const whereIs = async (agent: string) =>
  (
    await site.sql<{ host: string; pid: number | null }[]>`
      SELECT host, pid FROM instances WHERE agent = ${agent} AND ended_at IS NULL ORDER BY ordinal`
  ).map(({ host, pid }) => (pid === null ? '' : host))
const onHosts = (agent: string, ...names: string[]) =>
  site.until(
    () => whereIs(agent),
    (seen) => JSON.stringify(seen) === JSON.stringify(names),
    `${agent} on ${names.join(', ')}`,
  )
const beatsOf = (agent: string) => hosts.beats().filter((beat) => beat.agent === agent)
const task = (agent: string, prompt: string) =>
  site.sql`
    INSERT INTO tasks (task_id, namespace, agent, status, prompt, inputs, correlation_id, created_at)
    VALUES (gen_random_uuid(), 'default', ${agent}, 'queued', ${prompt}, '{}', 'c', now())`

describe('a host that loses sight of the server', () => {
  it('ends its agents before they are started elsewhere, and takes part again when it is back', async () => {
    site.push({ 'agents/wanderer.yaml': beatingAgent(site, 'wanderer', EU) })
    await onHosts('wanderer', 'far')
    near = await hosts.join('near', { flags: ['--label', 'zone=eu'] })
    proxy.stall()
    await onHosts('wanderer', 'near')
    await site.until(
      () => beatsOf('wanderer'),
      (beats) => beats.some(({ host }) => host === 'near'),
      'a sign of life from near',
    )
    const last = Math.max(...beatsOf('wanderer').flatMap(({ host, at }) => (host === 'far' ? [at] : [])))
    const first = Math.min(...beatsOf('wanderer').flatMap(({ host, at }) => (host === 'near' ? [at] : [])))
    expect(first).toBeGreaterThan(last)
    expect(overlaps(hosts.beats())).toEqual([])
    proxy.resume()
    await site.until(
      () => far.log(),
      (log) => log.split('"connected"').length > 2,
      'far to be connected again',
    )
    near.signal('SIGTERM')
    expect(await near.exited).toBe(0)
    // It left in order: nobody has to wait for a lease.
    await onHosts('wanderer', 'far')
    expect(overlaps(hosts.beats())).toEqual([])
  })

  it('runs commands of tasks there, with the files of the state repo, and their results come back', async () => {
    site.push({
      'agents/asker.yaml': [
        'apiVersion: stateward.dev/v1alpha1',
        'kind: Agent',
        'metadata: {name: asker}',
        'spec:',
        '  runtime: {process: {mode: perTask, workdir: programs/asker, stdin: prompt, command: [sh, -c, \'exec "$STATEWARD_FILES"/run.sh\']}}',
        '  hostSelector: {matchLabels: {zone: eu}}',
        '',
      ].join('\n'),
      'programs/asker/run.sh': {
        content: '#!/bin/sh\nread -r asked\necho "{\\"said\\": \\"$asked\\"}"\n',
        mode: '100755',
      },
    })
    await site.until(
      () => site.sql`SELECT 1 FROM placements JOIN placed_agents USING (agent_uid) WHERE target ->> 'name' = 'asker'`,
      (rows) => rows.length === 1,
      'a place for asker',
    )
    await task('asker', 'hello')
    const [done] = await site.until(
      () => site.sql<{ status: string; output: unknown; host: string }[]>`
        SELECT t.status, t.output, t.error, i.host FROM tasks t JOIN instances i ON i.id = t.instance_id WHERE t.agent = 'asker'`,
      (rows) => rows.length === 1 && rows[0]!.status !== 'leased',
      'the result of a task',
    )
    expect(done).toMatchObject({ status: 'completed', output: { said: 'hello' }, host: 'far' })
  })

  it('has its agents ended by the guard also when nothing else of it lives', async () => {
    await onHosts('wanderer', 'far')
    const guard = guardOf(far.data)!
    expect(isAlive(guard)).toBe(true)
    far.signal('SIGKILL')
    await far.exited
    await site.until(
      () => whereIs('wanderer'),
      (seen) => seen.length === 0,
      'the end of what ran there',
    )
    const [ended] = await site.sql<{ end_reason: string }[]>`
      SELECT end_reason FROM instances WHERE agent = 'wanderer' ORDER BY ended_at DESC LIMIT 1`
    expect(ended).toMatchObject({ end_reason: 'host_lost' })
    const beats = beatsOf('wanderer').length
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(beatsOf('wanderer')).toHaveLength(beats)
    await site.until(
      () => isAlive(guard),
      (alive) => !alive,
      'the end of the guard',
    )
  })
})

/** Why no network of its own can be made here; null when it can. */
function withoutNamespaces(): string | null {
  const tried = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' })
  if (tried.error !== undefined) return tried.error.message
  const linked = spawnSync('ip', ['link', 'add', 'swtest0', 'type', 'veth', 'peer', 'name', 'swtest1'], {
    encoding: 'utf8',
  })
  if (linked.status === 0) spawnSync('ip', ['link', 'del', 'swtest0'])
  if (tried.status !== 0) return `unshare -n: ${tried.stderr.trim()}`
  return linked.status === 0 ? null : `ip link add type veth: ${linked.error?.message ?? linked.stderr.trim()}`
}

const impossible = withoutNamespaces()

describe.skipIf(impossible !== null)(
  `in network namespaces${impossible === null ? '' : ` (skipped: ${impossible})`}`,
  () => {
    it('runs agents behind a link of its own, ends them when the link is cut, and comes back', async () => {
      const [name, inside, outside] = ['swhost', 'swhost1', 'swhost0']
      const ip = (...args: string[]) => {
        const done = spawnSync('ip', args, { encoding: 'utf8' })
        if (done.status !== 0) throw new Error(`ip ${args.join(' ')}: ${done.stderr}`)
      }
      ip('netns', 'add', name)
      try {
        ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name)
        ip('addr', 'add', `${ISLAND}/24`, 'dev', outside)
        ip('link', 'set', outside, 'up')
        ip('-n', name, 'addr', 'add', '10.213.77.2/24', 'dev', inside)
        ip('-n', name, 'link', 'set', inside, 'up')
        ip('-n', name, 'link', 'set', 'lo', 'up')
        const wide = await stallingProxy(lead.url, ISLAND)
        try {
          await hosts.join('islander', {
            url: wide.url,
            flags: ['--label', 'zone=island'],
            through: ['ip', 'netns', 'exec', name],
          })
          site.push({
            'agents/island.yaml': beatingAgent(site, 'island', { hostSelector: { matchLabels: { zone: 'island' } } }),
          })
          await onHosts('island', 'islander')
          ip('link', 'set', outside, 'down')
          await site.until(
            () => whereIs('island'),
            (seen) => seen.length === 0,
            'the end of the lease',
          )
          const beats = beatsOf('island').length
          await new Promise((resolve) => setTimeout(resolve, 500))
          expect(beatsOf('island')).toHaveLength(beats)
          ip('link', 'set', outside, 'up')
          await onHosts('island', 'islander')
          expect(overlaps(hosts.beats())).toEqual([])
        } finally {
          await wide.close()
        }
      } finally {
        spawnSync('ip', ['link', 'del', outside])
        spawnSync('ip', ['netns', 'del', name])
      }
    })
  },
)
