import { createHmac } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declaredEventTypes } from '../../src/build/declared-event-types.ts'
import { World } from '../../src/reconcile/world.ts'
import { until } from '../support/agent-fleet.ts'
import { openTestStore } from '../support/database.ts'
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

describe('event types of the state repo', () => {
  const type = (more = '') => `apiVersion: stateward.dev/v1alpha1
kind: EventType
metadata: {name: alert}
spec:
  event: their.alert
  description: Something is wrong.
${more}  dataSchema: {type: object, required: [host], properties: {host: {type: string}}, additionalProperties: false}
`
  // Without it, deleting the event type would empty the repo.
  const project = 'apiVersion: stateward.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\nspec: {}\n'
  let installation: Installation
  beforeAll(async () => {
    installation = await createInstallation({ 'events/alert.yaml': type(), 'project.yaml': project })
    await installation.start()
  })
  afterAll(() => installation.end())

  const emit = async (data: unknown, name = 'their.alert') =>
    await installation.post('/api/v1/events', { event_name: name, data })
  const listed = async () => {
    const answer = await fetch(`${installation.stateward.url}/api/v1/event-types`)
    const { items } = (await answer.json()) as { items: { event_name: string; declared_by: string | null }[] }
    return items.filter(({ declared_by }) => declared_by !== null)
  }

  it('are listed beside those of Stateward, and what does not fit is refused', async () => {
    expect(await listed()).toEqual([
      {
        event_name: 'their.alert',
        description: 'Something is wrong.',
        data_schema: {
          type: 'object',
          required: ['host'],
          properties: { host: { type: 'string' } },
          additionalProperties: false,
        },
        declared_by: 'alert',
      },
    ])
    expect((await emit({ host: 'web-1' })).status).toBe(201)
    expect(await emit({ host: 1, more: 2 })).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'invalid_event_data',
          message: 'the data of their.alert does not fit its schema: body/data/more is not allowed here',
          details: {
            event_type: 'alert',
            violations: [
              { path: 'body/data/more', message: 'is not allowed here' },
              { path: 'body/data/host', message: 'must be string' },
            ],
          },
        },
      },
    })
    expect((await emit({ anything: 1 }, 'their.other')).status).toBe(201)
    const ce = { specversion: '1.0', id: '1', source: '/them', type: 'their.alert' }
    const token = (await readFile(join(installation.dataDir, 'credentials', 'admin'), 'utf8')).trim()
    const send = async (events: unknown) => {
      const response = await fetch(`${installation.stateward.url}/api/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events),
      })
      return { status: response.status, body: await response.json() }
    }
    expect(
      await send([
        { ...ce, data: { host: 'web-1' } },
        { ...ce, id: '2', data: { host: [] } },
      ]),
    ).toMatchObject({
      status: 400,
      body: { error: { details: { violations: [{ path: 'body/1/data/host' }] } } },
    })
    expect((await send([{ ...ce, data: { host: 'web-1' } }])).status).toBe(201)
  })

  it('are those of the last accepted commit, from the first request after a restart on', async () => {
    await installation.apply({ 'events/alert.yaml': type().replace('[host]', '[host, state]') })
    expect((await emit({ host: 'web-1' })).status).toBe(400)
    await installation.stop()
    await installation.start()
    expect((await emit({ host: 'web-1' })).status).toBe(400)
    const suspended = { kind: 'EventType', name: 'alert' }
    expect((await installation.post('/api/v1/objects/suspend', suspended)).status).toBe(200)
    expect((await emit({})).status).toBe(201)
    expect((await installation.post('/api/v1/objects/resume', suspended)).status).toBe(200)
    expect((await emit({})).status).toBe(400)
    await installation.apply({ 'events/alert.yaml': type('  suspend: true\n') })
    expect((await emit({})).status).toBe(201)
    expect(await listed()).toEqual([])
    await installation.apply({ 'events/alert.yaml': type() })
    expect((await emit({})).status).toBe(400)
    await installation.apply({ 'events/alert.yaml': null })
    expect((await emit({})).status).toBe(201)
  })

  it('are read from the database by a process that does not lead', async () => {
    await installation.apply({ 'events/alert.yaml': type() })
    const store = await openTestStore(installation.database)
    const types = declaredEventTypes(store, new World())
    expect(await types.find('their.alert')).toMatchObject({ name: 'alert', event: 'their.alert' })
    expect(await types.find('their.other')).toBeNull()
    await store.end()
  })
})
