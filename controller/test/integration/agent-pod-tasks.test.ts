import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentTarget } from '../../src/agents/agent-target.ts'
import { readTaskLog } from '../../src/agents/logs.ts'
import type { AgentObservation } from '../../src/agents/observation.ts'
import { cancelTask } from '../../src/agents/tasks.ts'
import type { PodRuntime } from '../../src/kinds/agent/agent.schema.ts'
import { connectCluster } from '../../src/kube-client/connect.ts'
import type { NewTask } from '../../src/store/queries/tasks.ts'
import { transact } from '../../src/store/transact.ts'
import { startTestFleet, type TestFleet, until } from '../support/agent-fleet.ts'
import { aTarget, type TargetOptions } from '../support/agent-target.ts'
import { FakeCluster } from '../support/kube-api/fake-kubelet.ts'
import type { Stored } from '../support/kube-api/kube-store.ts'
import { refuse } from '../support/kube-api/refusal.ts'

const NAMESPACE = 'robots'

let cluster: FakeCluster
let fleet: TestFleet
let latest: AgentTarget

beforeAll(async () => {
  cluster = await new FakeCluster().start()
  const connect = () =>
    connectCluster({ kubeconfig: fleet.write('kubeconfig', cluster.server.kubeconfig()), context: null })
  const pods = { namespace: NAMESPACE, url: 'http://in.cluster', filesImage: null, connect }
  fleet = await startTestFleet({ retryMs: 200 }, pods)
  fleet.secrets.set('keys/model', 'hunter2-hunter2')
})
afterAll(async () => {
  await fleet.end()
  await cluster.stop()
})

let count = 0
let uid = ''
function begin(): void {
  count++
  uid = `01900000-0000-7000-8000-${String(count).padStart(12, '0')}`
}

function anAgent(options: TargetOptions & { pod?: Partial<PodRuntime> } = {}): AgentTarget {
  const { pod, ...others } = options
  const target = aTarget({ uid, name: `coder${count}`, mode: 'perTask', command: [], grace: 1, ...others })
  const stdin = options.stdin ?? 'json'
  return {
    ...target,
    pod: { image: 'coder:1', mode: 'perTask', stdin, command: ['code', '--fix'], ttlSecondsAfterFinished: 0, ...pod },
  }
}

async function want(target: AgentTarget): Promise<AgentObservation> {
  latest = target
  return fleet.agents.ensure(target)
}

/** The first look only begins to listen to the cluster. */
async function ready(target: AgentTarget): Promise<AgentObservation> {
  return until('the agent to be ready', async () => {
    const now = await want(target)
    return now.ready.status === 'True' && now
  })
}

afterEach(async () => {
  cluster.hasRoom = true
  cluster.ignoresTerm = false
  cluster.server.disturb = () => null
  await until('the agent to go', async () => (await want({ ...latest, deleting: true })).gone)
  await until('its pods to go', () => podsOf().length === 0)
  expect(cluster.secrets(NAMESPACE)).toEqual([])
})

const podsOf = (): readonly Stored[] => cluster.pods(NAMESPACE)
const queue = (task: Partial<NewTask> = {}) => fleet.enqueue({ agent: latest.name, ...task })
const running = (not: readonly Stored[] = []) =>
  until('a pod that runs', () =>
    podsOf().find((pod) => cluster.isRunning(pod) && !not.some(({ metadata }) => metadata.uid === pod.metadata.uid)),
  )
const ended = (taskId: string) =>
  until('the end of the task', async () => {
    const task = await fleet.task(taskId)
    return ['completed', 'failed', 'cancelled'].includes(task.status) ? task : null
  })

describe('a task that is a pod', () => {
  it('is read by its command, whose stdout is its result and whose stderr is its log; then its pod goes', async () => {
    begin()
    expect(await ready(anAgent({ env: [{ name: 'KEY', secretRef: { name: 'keys', key: 'model' } }] }))).toMatchObject({
      ...{ phase: 'Running', replicas: 1, readyReplicas: 1, instances: [] },
      ready: { message: 'takes up to 1 task at once' },
    })
    const taskId = await queue({ prompt: 'Why?', inputs: { host: 'web-1' } })
    const pod = await running()
    expect(JSON.parse(cluster.input(pod))).toMatchObject({
      ...{ protocol: 1, task_id: taskId, attempt: 1, prompt: 'Why?', inputs: { host: 'web-1' } },
      workspace: '/workspace',
    })
    expect(pod.metadata.labels).toMatchObject({ 'stateward.dev/task': taskId })
    expect(JSON.stringify(pod.spec)).not.toMatch(/Why\?|hunter2/)
    const [command] = (pod.spec as { initContainers: { command: string[] }[] }).initContainers
    expect(command!.command.slice(3)).toEqual(['sh', 'code', '--fix'])
    expect((await want(latest)).commands).toMatchObject([{ currentTask: taskId, host: 'kubernetes/robots' }])
    cluster.print(pod, 'I look at web-1', 'with hunter2-hunter2')
    await until('its log', async () => (await readTaskLog(fleet.agents.fleet, taskId, { tail: 9 })) !== '')
    cluster.exit(pod, 0, { result: '{"why": "hunter2-hunter2"}\n' })
    expect(await ended(taskId)).toMatchObject({ status: 'completed', attempt: 1, output: { why: '[redacted]' } })
    expect(await readTaskLog(fleet.agents.fleet, taskId, { tail: 9 })).toBe('I look at web-1\nwith [redacted]\n')
    await until('its pod to go', () => podsOf().length === 0)
  })

  it('runs beside others, as many at once as there are replicas, each once', async () => {
    begin()
    await ready(anAgent({ replicas: 2, stdin: 'prompt' }))
    const before = cluster.started.length
    const ids = await Promise.all(['one', 'two', 'three', 'four', 'five'].map((prompt) => queue({ prompt })))
    let most = 0
    await until('all of them', async () => {
      most = Math.max(most, podsOf().length)
      for (const pod of podsOf().filter((one) => cluster.isRunning(one)))
        cluster.exit(pod, 0, { result: cluster.input(pod).toUpperCase() })
      return (await Promise.all(ids.map((id) => fleet.task(id)))).every(({ status }) => status === 'completed')
    })
    const outputs = await Promise.all(ids.map(async (id) => (await fleet.task(id)).output))
    expect(outputs).toEqual(['ONE', 'TWO', 'THREE', 'FOUR', 'FIVE'].map((text) => ({ text })))
    expect(most).toBeLessThanOrEqual(2)
    expect(cluster.started.slice(before).filter((key) => key.endsWith('/agent'))).toHaveLength(5)
  })

  it('fails by exit code with the end of its log, or what the cluster says; 75 is worth another try', async () => {
    begin()
    await ready(anAgent())
    const told = await queue()
    const first = await running()
    cluster.print(first, 'no such host')
    cluster.exit(first, 3)
    expect(await ended(told)).toMatchObject({
      error: { code: 'agent_failed', message: 'no such host', retryable: false },
    })
    const silent = await queue()
    cluster.exit(await running([first]), 137, { reason: 'OOMKilled' })
    expect(await ended(silent)).toMatchObject({
      error: { message: 'the command ended with exit code 137: OOMKilled' },
    })
    const again = await queue()
    const last = await until('its last attempt', async () => {
      for (const pod of podsOf()) if (cluster.isRunning(pod)) cluster.exit(pod, 75)
      const task = await fleet.task(again)
      return task.status === 'failed' && task
    })
    expect(last).toMatchObject({ error: { retryable: true } })
  })

  it('fails when its output does not fit or is too large, and when it is too large itself', async () => {
    begin()
    await ready(anAgent())
    const misfit = await queue({ output_schema: { type: 'object', required: ['a'] } })
    const first = await running()
    cluster.exit(first, 0, { result: '{"b": 1}' })
    expect(await ended(misfit)).toMatchObject({ error: { code: 'invalid_output' } })
    const large = await queue()
    cluster.exit(await running([first]), 0, { result: 'x'.repeat(1024 * 1024 + 1) })
    expect(await ended(large)).toMatchObject({ error: { code: 'output_too_large' } })
    const task = await queue({ prompt: 'x'.repeat(900_001) })
    expect(await ended(task)).toMatchObject({ error: { code: 'input_too_large', retryable: false } })
    expect(podsOf().filter((pod) => cluster.isRunning(pod))).toEqual([])
  })

  it('is ended when its time is over, or when it is cancelled, and its place is free once it is gone', async () => {
    begin()
    await ready(anAgent())
    const late = await queue({ deadline: new Date(Date.now() + 700) })
    const first = await running()
    expect(Number(first.spec?.['activeDeadlineSeconds'])).toBeGreaterThan(30)
    expect(await ended(late)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } })

    cluster.ignoresTerm = true
    const cancelled = await queue()
    const second = await running([first])
    const next = await queue()
    await transact(fleet.store, (tx) => cancelTask(tx, fleet.store, cancelled))
    fleet.agents.taskCancelled('')
    await until('its deletion', () => podsOf()[0]?.metadata.deletionTimestamp !== undefined)
    await want(latest)
    expect(await fleet.task(next)).toMatchObject({ status: 'queued' })
    cluster.ignoresTerm = false
    cluster.exit(second, 0, { result: 'too late' })
    const third = await running([first, second])
    expect(await fleet.task(cancelled)).toMatchObject({ status: 'cancelled', output: null })
    cluster.exit(third, 0, { result: 'done' })
    expect(await ended(next)).toMatchObject({ output: { text: 'done' } })
  })

  it('is adopted by the next controller; what ended while none was there is read by it', async () => {
    begin()
    await ready(anAgent())
    const first = await queue()
    const pod = await running()
    cluster.print(pod, 'before')
    await fleet.agents.abandon()
    cluster.print(pod, 'between')
    cluster.exit(pod, 0, { result: 'survived' })
    await fleet.restart()
    await ready(latest)
    expect(await ended(first)).toMatchObject({ status: 'completed', attempt: 1, output: { text: 'survived' } })
    expect(await readTaskLog(fleet.agents.fleet, first, { tail: 9 })).toBe('before\nbetween\n')
    const second = await queue()
    const other = await running([pod])
    await fleet.restart()
    await ready(latest)
    cluster.exit(other, 0, { result: 'too' })
    expect(await ended(second)).toMatchObject({ attempt: 1, output: { text: 'too' } })
  })

  it('is started again only when the cluster says that nothing of it runs: a node that is silent keeps it', async () => {
    begin()
    await ready(anAgent())
    const taskId = await queue()
    const first = await running()
    const pods = cluster.server.resource('pods')
    cluster.ignoresTerm = true
    // As the cluster does with the pods of a node that does not answer.
    cluster.server.store.delete(pods, podsOf()[0]!)
    await until('its deletion', () => podsOf()[0]?.metadata.deletionTimestamp !== undefined)
    await want(latest)
    await want(latest)
    expect(podsOf()).toHaveLength(1)
    expect(await fleet.task(taskId)).toMatchObject({ status: 'leased', attempt: 1 })
    // The node is gone for good, and with it whatever ran there.
    cluster.lose(podsOf()[0]!)
    cluster.ignoresTerm = false
    cluster.exit(await running([first]), 0, { result: 'second' })
    expect(await ended(taskId)).toMatchObject({ attempt: 2, output: { text: 'second' } })
  })

  it('that ended well is not done again when its result was lost with its pod', async () => {
    begin()
    await ready(anAgent())
    const taskId = await queue()
    const pod = await running()
    cluster.server.disturb = ({ path, query }) =>
      path.endsWith('/log') && query.get('container') === 'result' ? refuse(404, 'NotFound', 'no such pod') : null
    cluster.exit(pod, 0, { result: 'gone' })
    expect(await ended(taskId)).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'agent_failed', message: expect.stringContaining('what it printed was lost') },
    })
  })

  it('waits while there is no room, the agent is suspended, or the cluster refuses, and loses no attempt by it', async () => {
    begin()
    await ready(anAgent())
    cluster.server.disturb = ({ method, path }) =>
      method === 'POST' && path.endsWith('/pods') ? refuse(403, 'Forbidden', 'exceeded quota: robots') : null
    const taskId = await queue()
    await until('the refusal', async () => (await want(latest)).ready.message.includes('exceeded quota'))
    expect(await fleet.task(taskId)).toMatchObject({ status: 'queued', attempt: 1 })
    cluster.server.disturb = () => null
    cluster.hasRoom = false
    const waiting = await until('the reason', async () => {
      const now = await want(latest)
      return now.ready.message.includes('Insufficient cpu') && now
    })
    expect(waiting).toMatchObject({ phase: 'Pending', ready: { reason: 'NoHost' } })
    // Another image: what waits to run is made anew.
    cluster.hasRoom = true
    await want(anAgent({ digest: 'd2', pod: { image: 'coder:2' } }))
    const pod = await until('the pod of the new image', async () => {
      await want(latest)
      return podsOf().find((one) => cluster.isRunning(one) && JSON.stringify(one.spec).includes('coder:2') && one)
    })
    cluster.exit(pod, 0, { result: 'ok' })
    expect(await ended(taskId)).toMatchObject({ status: 'completed' })
    await want(anAgent({ suspended: true, digest: 'd2' }))
    const later = await queue()
    await want(latest)
    expect(await fleet.task(later)).toMatchObject({ status: 'queued' })
  })

  it('ends within the grace when its agent is deleted, and its pod stays for its time otherwise', async () => {
    begin()
    await ready(anAgent({ grace: 10, pod: { ttlSecondsAfterFinished: 1 } }))
    const first = await queue()
    const pod = await running()
    cluster.exit(pod, 0, { result: 'ok' })
    await ended(first)
    expect(podsOf().map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid])
    await until('its pod to go', () => podsOf().length === 0)
    const second = await queue()
    const other = await running([pod])
    expect(await want({ ...latest, deleting: true })).toMatchObject({ gone: false })
    cluster.exit(other, 0, { result: 'finished' })
    expect(await ended(second)).toMatchObject({ output: { text: 'finished' } })
  })

  it('belongs to the custom resource of its agent, where it is in its namespace', async () => {
    begin()
    const resource = { apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', name: 'coder', uid }
    await ready({ ...anAgent(), namespace: NAMESPACE, resource })
    await queue({ namespace: NAMESPACE })
    const pod = await running()
    expect(pod.metadata.ownerReferences).toEqual([{ ...resource, controller: true, blockOwnerDeletion: false }])
  })
})
