import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { until } from '../support/agent-fleet.ts'
import { callerWith } from '../support/bus-agents.ts'
import { FakeCluster } from '../support/kube-api/fake-kubelet.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const NAMESPACE = 'robots'
const spec = (image: string) => ({ runtime: { pod: { image } }, heartbeat: { interval: '1s', timeout: '60s' } })

let here: Installation
let cluster: FakeCluster
let flags: Record<string, string>
beforeAll(async () => {
  cluster = await new FakeCluster().start()
  here = await createInstallation({ 'sre.yaml': manifest('Agent', 'sre', spec('sre:1')) })
  const kubeconfig = join(here.dataDir, 'kubeconfig')
  writeFileSync(kubeconfig, cluster.server.kubeconfig())
  flags = {
    kubeconfig,
    podsNamespace: NAMESPACE,
    podsUrl: 'http://api.in.cluster/',
  }
})
afterAll(async () => {
  await here.end()
  await cluster.server.stop()
})

describe('an agent declared as a pod', () => {
  it('says that there is nowhere to run it without the setting, and that half of it is not enough', async () => {
    await here.start()
    const ready = await here.untilCondition('Agent/default/sre', 'Ready', 'False', 'NoHost')
    expect(ready.message).toContain('STATEWARD_PODS_NAMESPACE')
    await here.stop()
    await expect(here.start({ ...flags, podsUrl: undefined })).rejects.toThrow('pods.url is not')
  })

  it('runs as one, is Ready when it reports, outlives the controller, and goes with its document', async () => {
    await here.start(flags)
    const pod = await until('its pod to run', () =>
      cluster.pods(NAMESPACE).find(({ status }) => status?.['phase'] === 'Running'),
    )
    const environment = cluster.environment(pod)
    expect(environment).toMatchObject({ STATEWARD_URL: 'http://api.in.cluster', STATEWARD_AGENT: 'sre' })
    const call = callerWith(here, environment['STATEWARD_TOKEN']!)
    const registered = await call('POST', '/agents/register', {
      instance_id: environment['STATEWARD_INSTANCE'],
      protocol: 1,
    })
    expect([registered.status, registered.body]).toMatchObject([
      200,
      { spec: { runtime: { pod: { image: 'sre:1' } } } },
    ])
    await here.untilCondition('Agent/default/sre', 'Ready', 'True')
    expect(here.condition('Agent/default/sre', 'Isolated')).toMatchObject({ status: 'True' })
    expect((await here.ask('GET', '/api/v1/agents/sre')).body).toMatchObject({
      mode: 'daemon',
      status: 'healthy',
      hosts: ['kubernetes/robots'],
    })

    // What the cluster tells of its pod counts, too, where its source says so.
    const ofPods = {
      kind: 'Pod',
      current: "status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
      failed: "status.conditions.exists(c, c.type == 'DisruptionTarget')",
    }
    const judging = { 'source.yaml': manifest('Source', 'state', { healthCheckExprs: [ofPods] }) }
    const tell = (conditions: readonly object[]) => {
      const now = cluster.pods(NAMESPACE)[0]!
      const status = { ...now.status, conditions } as unknown as JsonObject
      cluster.server.store.update(cluster.server.resource('pods'), now, { ...now, status }, 'status')
    }
    await here.apply(judging)
    const waits = await here.untilCondition('Agent/default/sre', 'HealthCheck', 'Unknown', 'Progressing')
    expect(waits.message).toBe(`pod ${pod.metadata.name}: it does not hold yet: ${ofPods.current}`)
    await here.untilCondition('Agent/default/sre', 'Ready', 'Unknown')
    tell([{ type: 'DisruptionTarget', status: 'True' }])
    await here.untilCondition('Agent/default/sre', 'Ready', 'False', 'HealthCheckFailed')
    tell([{ type: 'Ready', status: 'True' }])
    await here.untilCondition('Agent/default/sre', 'HealthCheck', 'True', 'Succeeded')
    await here.untilCondition('Agent/default/sre', 'Ready', 'True')

    await here.stop()
    await here.start(flags)
    await here.untilCondition('Agent/default/sre', 'Ready', 'True')
    expect(cluster.pods(NAMESPACE).map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid])

    await here.apply({ 'sre.yaml': null, 'other.yaml': manifest('Project', 'other', {}) })
    await until('its pod to go', () => cluster.pods(NAMESPACE).length === 0)
    expect(cluster.secrets(NAMESPACE)).toEqual([])
  })
})
