import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentTarget } from '../../src/agents/agent-target.ts'
import { agentLog } from '../../src/agents/logs.ts'
import type { AgentObservation } from '../../src/agents/observation.ts'
import { connectCluster } from '../../src/kube-client/connect.ts'
import { startTestFleet, type TestFleet, until } from '../support/agent-fleet.ts'
import { aTarget, type TargetOptions } from '../support/agent-target.ts'
import type { Stored } from '../support/kube-api/kube-store.ts'
import { POD_PEERS, type PodCluster } from '../support/kube-api/pod-cluster.ts'

const HEARTBEAT = { interval: '1s', timeout: '60s' }

let cluster: PodCluster
let fleet: TestFleet
let busUrl: string
let latest: AgentTarget

let count = 0
let uid = ''
function aPod(options: TargetOptions & { image?: string } = {}): AgentTarget {
  const target = aTarget({ uid, name: `sre${count}`, heartbeat: HEARTBEAT, ...options })
  return {
    ...target,
    pod: {
      ...{ image: options.image ?? 'agents/sre:1', command: ['sre'], resources: { limits: { memory: '1Gi' } } },
      ...{ mode: 'daemon', stdin: 'json' },
      nodeSelector: cluster.nodeSelector,
    },
  }
}

/** What the reconcile loop does again and again. */
async function want(target: AgentTarget): Promise<AgentObservation> {
  latest = target
  return fleet.agents.ensure(target)
}

function begin(): void {
  count++
  uid = `01900000-0000-7000-8000-${String(count).padStart(12, '0')}`
}

async function podsOf(): Promise<readonly Stored[]> {
  return cluster.pods()
}

const aRunning = () =>
  until('a running pod', async () =>
    (await podsOf()).find(
      ({ status, metadata }) => status?.['phase'] === 'Running' && metadata.deletionTimestamp === undefined,
    ),
  )

/** The last event of the agent's pods. */
async function eventOf(verb: string): Promise<Record<string, unknown> | undefined> {
  const all = await fleet.events(`stateward.agent.instance.${verb}`)
  return all.findLast(({ data }) => data['agent'] === latest.name)?.data
}

const isReady = async (status = 'True') => (await want(latest)).ready.status === status

/** What its program would do first. */
async function register(pod: Stored): Promise<void> {
  const { STATEWARD_TOKEN: token, STATEWARD_INSTANCE: instance_id } = await cluster.environment(pod)
  const answer = await fetch(`${busUrl}/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ instance_id, protocol: 1 }),
  })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ spec: { runtime: { pod: { image: 'agents/sre:1' } } } })
}

describe.each(POD_PEERS)('an agent that is a pod on $name', ({ open }) => {
  let host: string

  beforeAll(async () => {
    cluster = await open()
    host = `kubernetes/${cluster.namespace}`
    const connect = () => connectCluster({ kubeconfig: fleet.write('kubeconfig', cluster.kubeconfig()), context: null })
    const pods = { namespace: cluster.namespace, url: 'http://in.cluster', filesImage: null, connect }
    fleet = await startTestFleet({ retryMs: 200 }, pods)
    fleet.secrets.set('keys/model', 'hunter2-hunter2')
    busUrl = fleet.agents.fleet.context.url()
  }, 60_000)
  afterAll(async () => {
    await fleet.end()
    await cluster.end()
  })
  afterEach(async () => {
    await cluster.setRoom(true)
    cluster.ignoreTerm(false)
    await cluster.refusePods(false)
    await until('the agent to go', async () => (await want({ ...latest, deleting: true })).gone)
    await until('its pods to go', async () => (await podsOf()).length === 0)
    await until('their Secrets to go', async () => (await cluster.secrets()).length === 0)
  })

  it('runs confined, with its secrets in a Secret that belongs to it, and is ready when its program reports', async () => {
    begin()
    const env = [
      { name: 'LEVEL', value: 'costs $(HOME)' },
      { name: 'KEY', secretRef: { name: 'keys', key: 'model' } },
    ]
    expect((await want(aPod({ env }))).ready.status).not.toBe('True')
    await until('the cluster to be asked', async () => (await want(latest)).instances.length === 1)
    const pod = await aRunning()
    expect(pod.metadata.labels).toMatchObject({
      'app.kubernetes.io/managed-by': 'stateward',
      'stateward.dev/environment': 'default',
      'stateward.dev/agent-uid': uid,
    })
    expect(pod.spec).toMatchObject({ automountServiceAccountToken: false, restartPolicy: 'Never' })
    const text = JSON.stringify(pod.spec)
    const environment = await cluster.environment(pod)
    expect(environment).toMatchObject({
      LEVEL: 'costs $$(HOME)',
      KEY: 'hunter2-hunter2',
      STATEWARD_URL: 'http://in.cluster',
      STATEWARD_WORKSPACE: '/workspace',
    })
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain(environment['STATEWARD_TOKEN'])
    const [secret] = await cluster.secrets()
    expect(secret?.metadata.ownerReferences).toMatchObject([{ kind: 'Pod', uid: pod.metadata.uid }])

    await register(pod)
    const observed = await want(latest)
    expect(observed).toMatchObject({
      phase: 'Running',
      readyReplicas: 1,
      ready: { status: 'True' },
      instances: [{ host: host, ordinal: 0 }],
    })
    // Nothing changes by looking again.
    await want(latest)
    expect(await podsOf()).toHaveLength(1)
  })

  it('has its log where the logs of processes are, without its secrets, also over broken connections', async () => {
    begin()
    await want(aPod({ env: [{ name: 'KEY', secretRef: { name: 'keys', key: 'model' } }] }))
    const pod = await aRunning()
    const instance = pod.metadata.labels!['stateward.dev/instance']!
    const file = join(fleet.dataDir, 'instances', instance, 'out')
    const lines = () => {
      try {
        return readFileSync(file, 'utf8')
      } catch {
        return ''
      }
    }
    cluster.print(pod, 'one', 'my key is hunter2-hunter2')
    await until('the log', () => lines() === 'one\nmy key is hunter2-hunter2\n')
    cluster.cutLogs()
    cluster.print(pod, 'three')
    await until('the rest of the log', () => lines().endsWith('three\n'))
    await fleet.restart()
    cluster.print(pod, 'four')
    await until('the log of the next controller', async () => {
      await want(latest)
      return lines().endsWith('four\n')
    })
    expect(lines().split('\n')).toHaveLength(5)
    const shown: string[] = []
    const request = { follow: false, tailLines: null, signal: new AbortController().signal }
    for await (const part of await agentLog(fleet.agents.fleet, { namespace: 'default', name: latest.name }, request))
      shown.push(part)
    expect(shown.join('')).toContain('my key is ')
    expect(shown.join('')).not.toContain('hunter2')
  })

  it('is adopted by the next controller, with the same pod', async () => {
    begin()
    await want(aPod())
    const pod = await aRunning()
    await register(pod)
    await until('it to be ready', () => isReady())
    await fleet.restart()
    await until('it to be ready again', () => isReady())
    expect((await podsOf()).map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid])
    const adopted = await until('its adoption', () => eventOf('adopted'))
    expect(adopted).toMatchObject({ host: host, pid: null })
  })

  it('is started again after it failed, with a pause, and tells its exit code; a new image replaces it', async () => {
    begin()
    await want(aPod())
    const first = await aRunning()
    await cluster.exit(first, 3)
    const second = await until('another pod', async () => {
      await want(latest)
      return (await podsOf()).find(
        ({ metadata, status }) => metadata.uid !== first.metadata.uid && status?.['phase'] === 'Running',
      )
    })
    expect(await eventOf('ended')).toMatchObject({ exit_code: 3, reason: 'exited' })
    await want(aPod({ digest: 'd2', image: 'agents/sre:2' }))
    const third = await until('the pod of the new image', async () => {
      await want(latest)
      return (await podsOf()).find(
        ({ metadata, status }) => metadata.uid !== second.metadata.uid && status?.['phase'] === 'Running',
      )
    })
    expect(third.spec).toMatchObject({ containers: [{ image: 'agents/sre:2' }] })
    expect(await eventOf('ended')).toMatchObject({ exit_code: 143, reason: 'replaced' })
  })

  it('stays ended when its restart policy says so', async () => {
    begin()
    await want(aPod({ restartPolicy: 'OnFailure' }))
    await cluster.exit(await aRunning(), 0)
    const observed = await until('its end', async () => {
      const now = await want(latest)
      return now.phase === 'Stopped' && now
    })
    expect(observed.ready.message).toBe('ended with exit code 0; restartPolicy is OnFailure')
    await until('its pod to be tidied away', async () => (await podsOf()).length === 0)
  })

  it('never runs twice: its successor waits until the cluster confirms that the pod is gone', async () => {
    begin()
    cluster.ignoreTerm(true)
    await want(aPod({ grace: 1 }))
    const first = await aRunning()
    await want(aPod({ grace: 1, digest: 'd2' }))
    await until('its deletion', async () => (await podsOf())[0]?.metadata.deletionTimestamp !== undefined)
    await until('it to be asked to end at once', async () => {
      await want({ ...latest })
      return (await podsOf())[0]?.metadata.deletionGracePeriodSeconds === 1
    })
    expect((await podsOf()).map(({ metadata }) => metadata.uid)).toEqual([first.metadata.uid])
    cluster.ignoreTerm(false)
    await cluster.exit(first, 137)
    await until('its successor', async () => {
      await want(latest)
      return (await podsOf()).some(({ metadata }) => metadata.uid !== first.metadata.uid)
    })
  })

  it('says what its pod waits for, and goes on when it has it', async () => {
    begin()
    await cluster.setRoom(false)
    await want(aPod())
    const waiting = await until('the reason', async () => {
      const now = await want(latest)
      return now.ready.message.includes('nodes are available') && now
    })
    expect(waiting).toMatchObject({ phase: 'Pending', ready: { status: 'False', reason: 'NoHost' } })
    const [pending] = await podsOf()
    expect(cluster.asked.filter(({ path }) => path.endsWith(`/${pending!.metadata.name}/log`))).toEqual([])
    await cluster.setRoom(true)
    await register(await aRunning())
    await until('it to be ready', () => isReady())
  })

  it('names the secret that is missing and what the cluster refuses, and makes no pod', async () => {
    begin()
    await want(aPod({ env: [{ name: 'KEY', secretRef: { name: 'keys', key: 'none' } }] }))
    await until('the missing secret', async () => (await want(latest)).ready.reason === 'SecretMissing')
    await cluster.refusePods(true)
    const refused = await until('the refusal', async () => {
      const now = await want(aPod())
      return now.ready.message.includes('exceeded quota') && now
    })
    expect(refused.phase).toBe('Failed')
    expect(await podsOf()).toEqual([])
  })

  it('outlives the API server being away, and a pod somebody deleted comes back', async () => {
    begin()
    await want(aPod())
    const pod = await aRunning()
    await register(pod)
    await until('it to be ready', () => isReady())
    await cluster.leave()
    const away = await until('the trouble to be noticed', async () => {
      const now = await want(latest)
      return now.instances.length === 1 && now
    })
    expect(away.gone).toBe(false)
    await cluster.comeBack()
    await until('it to be ready again', () => isReady())
    expect((await podsOf())[0]?.metadata.uid).toBe(pod.metadata.uid)
    await cluster.remove((await podsOf())[0]!)
    await until('another pod', async () => {
      await want(latest)
      return (await podsOf()).find(({ metadata }) => metadata.uid !== pod.metadata.uid)
    })
  }, 30_000)

  it('of a controller that was killed before it could say that it is there goes on', async () => {
    begin()
    await want(aPod())
    const pod = await aRunning()
    await until('it to be known', async () => (await want(latest)).instances.length === 1)
    const instance = pod.metadata.labels!['stateward.dev/instance']!
    await fleet.store.engine`UPDATE instances SET pod_uid = NULL WHERE id = ${instance}`
    await fleet.restart()
    await want(latest)
    await register(pod)
    await until('it to be ready', () => isReady())
    expect((await podsOf()).map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid])
  })

  it('becomes a process, and a process becomes a pod: one ends before the other begins', async () => {
    begin()
    await want(aPod())
    await aRunning()
    const { pod: _pod, ...asProcess } = aTarget({
      uid,
      name: latest.name,
      heartbeat: HEARTBEAT,
      digest: 'process',
    }) as AgentTarget
    const process = await until('the process', async () => {
      const now = await want(asProcess)
      return now.instances[0]?.pid !== undefined && now
    })
    expect(process.instances).toMatchObject([{ host: 'local' }])
    await until('the pod to be gone', async () => (await podsOf()).length === 0)
    await until('the pod to be back', async () => {
      await want(aPod())
      return (await podsOf()).length === 1
    })
    const observed = await want(latest)
    expect(observed.instances.map(({ host }) => host)).toEqual([host])
  }, 30_000)

  it('is left alone when it was deleted with deletionPolicy Orphan', async () => {
    begin()
    await want(aPod())
    const pod = await aRunning()
    await until('it to be known', async () => (await want(latest)).instances.length === 1)
    await until(
      'it to be forgotten',
      async () => (await want({ ...aPod({ deletionPolicy: 'Orphan' }), deleting: true })).gone,
    )
    expect((await podsOf()).map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid])
    await cluster.remove((await podsOf())[0]!)
  })
})
