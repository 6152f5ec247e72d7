import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { findKubectl, kubectl, kubectlArguments } from '../support/kubectl.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const program = findKubectl()
const IDLE = { runtime: { process: { command: ['true'] } }, replicas: 0 }
const KEY = 'Agent/default/a'
const SOURCE = 'Source/state'
/** A source that says by a label how far an agent is. */
const sourceOf = (...healthCheckExprs: object[]) => manifest('Source', 'state', { healthCheckExprs })
const BY_LABEL = {
  kind: 'Agent',
  current: "metadata.labels.stage == 'live' && status.phase == 'Stopped'",
  inProgress: "metadata.labels.stage == 'trial'",
  failed: "metadata.labels.stage == 'broken'",
}
const staged = (stage: string) => agent('a', IDLE, { labels: { stage } })

let here: Installation
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-health-'))
  here = await createInstallation({ 'a.yaml': staged('trial'), 'b.yaml': manifest('Project', 'b', {}) })
  await here.start({ authMode: 'none' })
})
afterAll(async () => {
  await here.end()
  await rm(folder, { recursive: true, force: true })
})

describe('health expressions of a source', () => {
  it('say nothing where there are none', async () => {
    await here.untilCondition(KEY, 'Ready', 'True')
    expect(here.condition(KEY, 'HealthCheck')).toBeNull()
  })

  it('are shown as a condition of the objects they are about, which Ready and the source are summed from', async () => {
    await here.apply({ 'source.yaml': sourceOf(BY_LABEL) })
    await here.untilCondition(KEY, 'HealthCheck', 'Unknown', 'Progressing')
    await here.untilCondition(KEY, 'Ready', 'Unknown', 'Progressing')
    await here.untilCondition(SOURCE, 'Ready', 'False', 'DependencyNotReady')
    expect(here.condition('Project/default/b', 'HealthCheck')).toBeNull()
    await here.untilCondition('Project/default/b', 'Ready', 'True')
  })

  it('fail and hold as the object changes', async () => {
    await here.apply({ 'a.yaml': staged('broken') })
    const failed = await here.untilCondition(KEY, 'HealthCheck', 'False', 'HealthCheckFailed')
    expect(failed.message).toBe("it failed: metadata.labels.stage == 'broken'")
    await here.untilCondition(KEY, 'Ready', 'False', 'HealthCheckFailed')
    await here.apply({ 'a.yaml': staged('unheard-of') })
    await here.untilCondition(KEY, 'HealthCheck', 'Unknown', 'Progressing')
    await here.apply({ 'a.yaml': staged('live') })
    await here.untilCondition(KEY, 'HealthCheck', 'True', 'Succeeded')
    await here.untilCondition(KEY, 'Ready', 'True')
    await here.untilCondition(SOURCE, 'Ready', 'True')
  })

  it('are judged anew when they change, and forgotten when they are gone', async () => {
    await here.apply({ 'source.yaml': sourceOf({ kind: 'Agent', current: 'spec.replicas > 3' }) })
    await here.untilCondition(KEY, 'HealthCheck', 'Unknown', 'Progressing')
    await here.apply({ 'source.yaml': sourceOf({ kind: 'Agent', current: 'status.phase + 1 == 2' }) })
    await here.untilCondition(KEY, 'HealthCheck', 'Unknown', 'HealthCheckFailed')
    await here.apply({ 'source.yaml': sourceOf() })
    await until('the condition to go', () => here.condition(KEY, 'HealthCheck') === null)
    await here.untilCondition(KEY, 'Ready', 'True')
  })

  it('are refused with their place when they cannot be', async () => {
    const wrong = [
      { kind: 'Agent', current: 'statos.phase == "x"' },
      { kind: 'Agnet', current: 'true' },
    ]
    await here.apply({ 'source.yaml': sourceOf(...wrong) })
    const state = () => here.object(SOURCE).status as { issues?: { pointer: string; code: string; file: string }[] }
    await until('the problems', () => (state().issues?.length ?? 0) >= 2)
    const told = state().issues!.map(({ code, pointer, file }) => [code, pointer, file])
    expect(told.sort()).toEqual([
      ['SW_BAD_VALUE', '/spec/healthCheckExprs/1/kind', 'source.yaml'],
      ['SW_UNKNOWN_NAME', '/spec/healthCheckExprs/0/current', 'source.yaml'],
    ])
    await here.apply({ 'source.yaml': sourceOf() })
    await here.untilCondition(SOURCE, 'Ready', 'True')
  })

  if (program !== null)
    it('are what kubectl waits for', async () => {
      const k = (...argv: string[]) => kubectl(kubectlArguments(here.stateward.url, folder, argv))
      await here.apply({ 'source.yaml': sourceOf(BY_LABEL), 'a.yaml': staged('trial') })
      await here.untilCondition(KEY, 'HealthCheck', 'Unknown')
      const waiting = k('wait', '--for=condition=HealthCheck', 'agent/a', '--timeout=60s')
      await here.apply({ 'a.yaml': staged('live') })
      expect(await waiting).toMatchObject({ code: 0, out: 'agent.stateward.dev/a condition met\n' })
    })
})
