import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { until } from '../support/agent-fleet.ts'
import { KubeApiServer } from '../support/kube-api/kube-api-server.ts'
import type { Stored } from '../support/kube-api/kube-store.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

let server: KubeApiServer
let here: Installation
let flags: Record<string, string>
beforeAll(async () => {
  server = await new KubeApiServer().start()
  here = await createInstallation({ 'project.yaml': manifest('Project', 'of-git', {}) })
  const kubeconfig = join(here.dataDir, 'kubeconfig')
  writeFileSync(kubeconfig, server.kubeconfig())
  flags = { kubeconfig, clusterSource: 'add' }
})
afterAll(async () => {
  await here.end()
  await server.stop()
})

const AGENT = 'Agent/default/sre'
const resource = () => server.resource('agents')
const agentNow = (): Stored => server.store.get(resource(), 'default', 'sre')!
/** What `kubectl annotate` and `kubectl patch` do, by the rights that the API server gave. */
function write(annotations: Record<string, string>, spec: JsonObject = {}): void {
  const now = agentNow()
  const metadata = { ...now.metadata, annotations }
  server.store.update(resource(), now, { ...now, metadata, spec: { ...now.spec, ...spec } }, 'all')
}

describe('annotations of custom resources', () => {
  it('are not read where commits have to be signed: the start says so', async () => {
    await expect(here.start({ ...flags, verify: 'head' })).rejects.toMatchObject({
      ref: 'SW_CONFIG_INVALID',
      message: expect.stringContaining('custom resources are not signed'),
      remedy: expect.stringContaining('verify.mode'),
    })
    await expect(here.start({ ...flags, clusterSource: 'only', verify: 'head' })).rejects.toMatchObject({
      ref: 'SW_CONFIG_INVALID',
    })
  })

  it('have an agent looked at again, which its status confirms', async () => {
    const spec = { runtime: { process: { command: ['true'] } }, replicas: 0 }
    const sent = { apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata: { name: 'sre' }, spec }
    server.store.create(resource(), 'default', sent as unknown as JsonObject)
    await here.start(flags)
    await here.untilCondition(AGENT, 'Ready', 'True')
    write({ 'stateward.dev/requestedAt': 'now' })
    await until('the echo', () => agentNow().status?.['lastHandledReconcileAt'] === 'now')
  })

  it('that are acts of a person change nothing, and the resource says what to do instead', async () => {
    write({ 'stateward.dev/suspend': 'true' })
    const told = await until('the refusal', () => {
      const conditions = (agentNow().status?.['conditions'] ?? []) as { type: string; message: string }[]
      return conditions.find(({ message }) => message.includes('stateward.dev/suspend'))
    })
    expect(told.message).toContain('acts only when it is sent to the API of Stateward')
    expect(here.condition(AGENT, 'Suspended')?.status ?? 'False').toBe('False')
    // The right to write the resource is the right to suspend it: that is a field of it.
    write({}, { suspend: true })
    await here.untilCondition(AGENT, 'Suspended', 'True')
  })
})
