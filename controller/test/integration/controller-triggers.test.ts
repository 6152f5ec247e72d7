import { createHmac } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const blueprint = (name: string, spec: string) => `apiVersion: stateward.dev/v1alpha1
kind: Blueprint
metadata: {name: ${name}}
spec:
${spec}
  plan: [{id: wait, kind: gate, mode: manual}]
`

describe('triggers of a declared blueprint', () => {
  let installation: Installation
  beforeAll(async () => {
    installation = await createInstallation({
      'blueprints/nightly.yaml': blueprint('nightly', '  triggers: [{schedule: "0 3 * * *", timeZone: Europe/Berlin}]'),
      'blueprints/hook.yaml': blueprint(
        'hook',
        '  backpressure: {ratePerMinute: 1}\n  triggers: [{webhook: {name: hook, secretRef: {name: hooks, key: one}}}]',
      ),
    })
    await installation.start()
  })
  afterAll(() => installation.end())

  it('say when the next schedule is due, outside the status branch', async () => {
    const path = '/kube/apis/stateward.dev/v1alpha1/namespaces/default/blueprints/nightly'
    const next = await until('the next time', async () => {
      const object = (await (await fetch(installation.stateward.url + path)).json()) as {
        status?: { nextScheduleTime?: string }
      }
      return object.status?.nextScheduleTime ?? null
    })
    expect(new Date(next) > new Date()).toBe(true)
    expect(installation.object('Blueprint/default/nightly').status).not.toHaveProperty('nextScheduleTime')
  })

  it('start runs of webhooks within the limits, and show that others are held back', async () => {
    const folder = join(installation.dataDir, 'secrets', 'hooks')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'one'), 'key\n', { mode: 0o600 })
    const deliver = async (body: string) => {
      const signature = createHmac('sha256', 'key').update(body).digest('hex')
      const response = await fetch(`${installation.stateward.url}/api/v1/webhooks/hook`, {
        method: 'POST',
        headers: { 'x-hub-signature-256': `sha256=${signature}` },
        body,
      })
      return response.status
    }
    expect(await deliver('first')).toBe(202)
    expect(await deliver('second')).toBe(202)
    await installation.untilCondition('Blueprint/default/hook', 'QuotaExceeded', 'True', 'QuotaExceeded')
    const runs = await installation.sql`SELECT trigger FROM runs`
    expect([...runs]).toEqual([{ trigger: 'webhook:hook' }])
    expect((await installation.post('/api/v1/runs', { blueprint_ref: 'hook' })).status).toBe(429)
    expect(installation.condition('Blueprint/default/hook', 'Ready')).toMatchObject({ status: 'True' })
  })
})
