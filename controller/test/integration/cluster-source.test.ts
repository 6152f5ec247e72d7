import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { until } from '../support/agent-fleet.ts'
import { CLUSTER_PEERS, type ClusterPeer, resourcesOf } from '../support/kube-api/cluster-peer.ts'
import { refuse } from '../support/kube-api/refusal.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, isRunning } from '../support/stateward.ts'

/** Of a wait for something that follows by itself, on a machine with other things to do. */
const PATIENCE = 45_000
const BUS = readFileSync(new URL('../../../state-repo/agents/sre/bus.mjs', import.meta.url), 'utf8')
const MAIN = `
import { connect } from './bus.mjs'
const { STATEWARD_URL: url, STATEWARD_TOKEN: token, STATEWARD_INSTANCE: instance, STATEWARD_AGENT: agent } = process.env
const { signal } = new AbortController()
const bus = connect({ url, token, agent, instance, namespace: process.env.STATEWARD_NAMESPACE }, console.log)
if (process.env.STUBBORN) process.on('SIGTERM', () => {})
await bus.register(signal)
setInterval(() => bus.heartbeat([], signal).catch(() => {}), 500)
`
const FILES = {
  'code/main.mjs': MAIN,
  'code/bus.mjs': BUS,
}
const daemon = (env: Readonly<Record<string, string>> = {}, more: JsonObject = {}): JsonObject => ({
  runtime: {
    process: {
      command: ['node', 'main.mjs'],
      workdir: 'code',
      env: Object.entries(env).map(([name, value]) => ({ name, value })),
    },
  },
  heartbeat: { interval: '1s', timeout: '5s' },
  ...more,
})

describe.each(CLUSTER_PEERS)('custom resources beside a state repo, on $name', ({ open }) => {
  let server: ClusterPeer
  let cluster: ReturnType<typeof resourcesOf>
  let namespace: string
  let here: Installation
  let flags: Readonly<Record<string, unknown>>

  beforeAll(async () => {
    server = await open()
    ;({ namespace } = server)
    cluster = resourcesOf(server)
    here = await createInstallation({ ...FILES, 'project.yaml': manifest('Project', 'of-git', {}, { namespace }) })
    flags = {
      clusterSource: 'add',
      clusterNamespaces: namespace,
      kubeconfig: server.kubeconfig,
      keepAgents: true,
    }
    await here.start(flags)
  }, 120_000)

  afterAll(async () => {
    await here.end()
    await server.end()
  })

  const says = (plural: string, name: string, type: string, status: string, reason?: string) =>
    until(
      `${type} of ${plural}/${name} to be ${status} ${reason ?? ''}`,
      async () => {
        const found = await cluster.condition(plural, name, type)
        return found?.['status'] === status && (reason === undefined || found['reason'] === reason)
      },
      PATIENCE,
    )
  const observed = async (name: string) =>
    ((await cluster.find('agents', name))?.['status'] as JsonObject | undefined)?.['observedGeneration']
  const pid = async (name: string) => (await here.pids(`Agent/${namespace}/${name}`))[0]

  test('an agent runs, and its resource says so', async () => {
    await cluster.create('agents', 'Agent', 'a', daemon())
    await says('agents', 'a', 'Ready', 'True')
    const found = (await cluster.find('agents', 'a'))!
    expect(found.metadata.finalizers).toEqual(['stateward.dev/finalizer'])
    expect(found['status']).toMatchObject({ phase: 'Running', readyReplicas: 1, observedGeneration: 1 })
    const object = here.object(`Agent/${namespace}/a`)
    expect(object).toMatchObject({
      uid: found.metadata.uid,
      generation: 1,
      file: `cluster://agents/${namespace}/a.yaml`,
    })
    expect(object.lastAppliedRevision).toMatch(/^[0-9a-f]{40}\+cluster@[0-9a-f]{40}$/)
    const applied = server.asked.filter(({ path }) => path.endsWith('/agents/a/status'))
    expect(applied.length).toBeGreaterThan(0)
    for (const { query, contentType } of applied) {
      expect(query.get('fieldManager')).toBe('stateward')
      expect(contentType).toBe('application/apply-patch+yaml')
    }
    await until('its events', async () => (await cluster.events('a')).some((event) => event['reason'] === 'Ready'))
    expect((await cluster.events('a')).map((event) => event['reason'])).toEqual(
      expect.arrayContaining(['Accepted', 'Started']),
    )
  })

  test('a change of its spec starts it anew, and is counted as the cluster counts', async () => {
    const before = await pid('a')
    await cluster.patch('agents', 'a', { spec: daemon({ GREETING: 'hello' }) })
    await until('another process', async () => (await pid('a')) !== before && (await pid('a')) !== undefined)
    await until('the new generation', async () => (await observed('a')) === 2)
    await says('agents', 'a', 'Ready', 'True')
    expect(here.object(`Agent/${namespace}/a`).generation).toBe(2)
  })

  test('what cannot be applied says why, and keeps nothing else back', async () => {
    await cluster.create('agents', 'Agent', 'lost', { templateRef: { name: 'nowhere' } })
    await cluster.create('projects', 'Project', 'fine', {})
    await says('agents', 'lost', 'Ready', 'False')
    expect(String((await cluster.condition('agents', 'lost', 'Ready'))?.['message'])).toContain('spec.runtime')
    expect((await cluster.find('agents', 'lost'))?.metadata.finalizers).toBeUndefined()
    await says('projects', 'fine', 'Ready', 'True')
    await cluster.remove('agents', 'lost')
    await here.untilCondition('Source/state', 'Ready', 'True')
  })

  test('what Git declares, too, is in conflict: neither is applied, and what runs goes on', async () => {
    const before = await pid('a')
    here.push({ 'a.yaml': agent('a', { runtime: { process: { command: ['true'] } } }, { namespace }) })
    await says('agents', 'a', 'Ready', 'False', 'SourceConflict')
    await here.untilCondition(`Agent/${namespace}/a`, 'Ready', 'False', 'SourceConflict')
    expect(String((await cluster.condition('agents', 'a', 'Ready'))?.['message'])).toContain('a.yaml')
    expect(await pid('a')).toBe(before)
    await cluster.create('projects', 'Project', 'of-git', {})
    await says('projects', 'of-git', 'Ready', 'False', 'SourceConflict')
    await here.untilCondition(`Project/${namespace}/of-git`, 'Ready', 'False', 'SourceConflict')
    await cluster.remove('projects', 'of-git')
    here.push({ 'a.yaml': null })
    await says('agents', 'a', 'Ready', 'True')
    await here.untilCondition(`Project/${namespace}/of-git`, 'Ready', 'True')
    expect(await pid('a')).toBe(before)
  })

  test('while the API server is away everything goes on, and what changed meanwhile is found', async () => {
    const before = await pid('a')
    await server.leave()
    await here.untilCondition('Source/state', 'ClusterFetched', 'False', 'FetchFailed')
    here.push({ 'later.yaml': manifest('Project', 'later', {}, { namespace }) })
    await here.untilCondition(`Project/${namespace}/later`, 'Ready', 'True')
    expect(await pid('a')).toBe(before)
    await cluster.create('projects', 'Project', 'meanwhile', {})
    await cluster.remove('projects', 'fine')
    await server.comeBack()
    await says('projects', 'meanwhile', 'Ready', 'True')
    await until('the other to be gone', () => here.stateward.world.get(`Project/${namespace}/fine`) === undefined)
    await here.untilCondition('Source/state', 'ClusterFetched', 'True')
    expect(await pid('a')).toBe(before)
  })

  test('a status that cannot be written is tried again; one that is refused is not, and the source says so', async () => {
    let failed = 0
    let refused = 0
    server.disturb(({ path, method }) => {
      if (method !== 'PATCH' || !path.endsWith('/status')) return null
      if (path.includes('/unlucky/')) return failed++ < 2 ? refuse(500, 'InternalError', 'try again') : null
      if (!path.includes('/odd/')) return null
      refused++
      return refuse(422, 'Invalid', 'it does not fit')
    })
    await cluster.create('projects', 'Project', 'unlucky', {})
    await cluster.create('projects', 'Project', 'odd', {})
    await says('projects', 'unlucky', 'Ready', 'True')
    expect(failed).toBe(3)
    await here.untilCondition('Source/state', 'ClusterStatusPublished', 'False', 'StatusPublishFailed')
    await cluster.create('projects', 'Project', 'even', {})
    await says('projects', 'even', 'Ready', 'True')
    expect(refused).toBe(1)
    server.disturb(() => null)
    await cluster.remove('projects', 'odd')
    await here.untilCondition('Source/state', 'ClusterStatusPublished', 'True')
  })

  test('a restart writes nothing about what has not changed, and adopts what runs', async () => {
    const before = await pid('a')
    await here.stop()
    const asked = server.asked.length
    await here.start(flags)
    await cluster.create('projects', 'Project', 'after', {})
    await says('projects', 'after', 'Ready', 'True')
    const written = server.asked
      .slice(asked)
      .filter(({ method, path }) => method === 'PATCH' && path.includes('/projects/') && !path.includes('/after'))
      .map(({ path }) => path)
    expect(written).toEqual([])
    expect(await pid('a')).toBe(before)
  })

  test('a deletion ends the agent first, then the resource goes', async () => {
    const running = await pid('a')
    await cluster.remove('agents', 'a')
    await until('the resource to be gone', async () => (await cluster.find('agents', 'a')) === null)
    expect(isRunning(running!)).toBe(false)
    expect(here.stateward.world.get(`Agent/${namespace}/a`)).toBeUndefined()
    expect((await cluster.events('a')).some((event) => event['reason'] === 'DeletionDeadline')).toBe(false)
  })

  test('after the deadline it goes in any case, and one of its name waits until the old one is gone', async () => {
    await here.stop()
    await here.start({ ...flags, clusterDeletionDeadline: '1s' })
    await cluster.create('agents', 'Agent', 'slow', daemon({ STUBBORN: '1' }, { terminationGracePeriodSeconds: 600 }))
    await says('agents', 'slow', 'Ready', 'True')
    const first = (await cluster.find('agents', 'slow'))!.metadata.uid
    const running = await pid('slow')
    await cluster.remove('agents', 'slow')
    await until('the resource to be gone', async () => (await cluster.find('agents', 'slow')) === null)
    expect(isRunning(running!)).toBe(true)
    await until('an event about it', async () =>
      (await cluster.events('slow')).some((event) => event['reason'] === 'DeletionDeadline'),
    )
    await cluster.create('agents', 'Agent', 'slow', daemon())
    const second = (await cluster.find('agents', 'slow'))!.metadata.uid
    expect(second).not.toBe(first)
    await cluster.create('projects', 'Project', 'meantime', {})
    await says('projects', 'meantime', 'Ready', 'True')
    expect(here.object(`Agent/${namespace}/slow`).uid).toBe(first)
    process.kill(running!, 'SIGKILL')
    await says('agents', 'slow', 'Ready', 'True')
    expect(isRunning(running!)).toBe(false)
    expect(here.object(`Agent/${namespace}/slow`).uid).toBe(second)
    await cluster.remove('agents', 'slow')
    await until('the second to be gone', async () => (await cluster.find('agents', 'slow')) === null)
  })
})

describe('custom resources alone', () => {
  const [strict] = CLUSTER_PEERS as [(typeof CLUSTER_PEERS)[number]]

  test('are all there is: no state repo is made', async () => {
    const server = await strict.open()
    const { namespace } = server
    const cluster = resourcesOf(server)
    const here = await createInstallation(null)
    try {
      await cluster.create('projects', 'Project', 'one', {})
      await here.start({ clusterSource: 'only', kubeconfig: server.kubeconfig })
      await here.untilCondition(`Project/${namespace}/one`, 'Ready', 'True')
      await until(
        'its status',
        async () => (await cluster.condition('projects', 'one', 'Ready'))?.['status'] === 'True',
      )
      expect(here.object(`Project/${namespace}/one`).lastAppliedRevision).toMatch(/^cluster@[0-9a-f]{40}$/)
      expect([...here.stateward.world.ofKind('Agent').keys()]).toEqual([])
      await here.untilCondition('Source/state', 'Ready', 'True')
    } finally {
      await here.end()
      await server.end()
    }
  })
})
