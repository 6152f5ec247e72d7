import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { createTriggers } from '../../src/runs/triggers/triggers.ts'
import { receiveWebhook } from '../../src/runs/webhooks/webhooks.ts'
import { readEvents } from '../../src/store/log.ts'
import { startApi, type TestApi } from '../support/api-server.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import { blueprintOf, blueprintsOf, environmentOf, until } from '../support/run-stack.ts'
import { secretsFrom } from '../support/secrets.ts'
import { SetClock } from '../support/set-clock.ts'

const plan = [{ id: 'one', kind: 'transform', expression: '1' }]
const inputs = [{ name: 'title', from: 'event.data.body.title' }]
const webhook = (more: JsonObject = {}) => ({
  name: 'github',
  secretRef: { name: 'hooks', key: 'github' },
  ...more,
})
const pulls = blueprintOf('pulls', {
  triggers: [{ webhook: webhook(), filter: "event.data.headers['x-github-event'] == 'pull_request'" }],
  inputs,
  plan,
})
const rotated = blueprintOf('rotated', {
  triggers: [{ webhook: webhook({ secretRef: { name: 'hooks', key: 'new' } }), filter: 'false' }],
  plan,
})
const elsewhere = blueprintOf(
  'pulls',
  { triggers: [{ webhook: webhook() }], plan },
  {
    namespace: 'other',
  },
)
const keyless = blueprintOf('keyless', {
  triggers: [{ webhook: { name: 'keyless', secretRef: { name: 'hooks', key: 'none' } } }],
  plan,
})
const timed = blueprintOf('timed', {
  triggers: [{ webhook: { ...webhook(), name: 'timed', timestampHeader: 'X-Time' } }],
  plan,
})
const checked = blueprintOf('checked', { triggers: [{ webhook: { ...webhook(), name: 'typed' } }], plan })
const blueprints = blueprintsOf([pulls, rotated, elsewhere, keyless, timed, checked])
const typed = {
  name: 'typed',
  event: 'webhook.typed',
  description: '',
  dataSchema: {
    type: 'object',
    required: ['body'],
    properties: { body: { type: 'object', required: ['title'] } },
  },
}
const secrets: Record<string, string> = { 'hooks/github': 'one', 'hooks/new': 'two' }

describe('POST /api/v1/webhooks/{name}', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startApi({
      services: {
        webhooks: {
          receive: (delivery) =>
            receiveWebhook(
              {
                store: api.store,
                blueprints,
                environmentOf,
                eventTypes: { all: async () => [], find: async (event) => (event === typed.event ? typed : null) },
                secrets: secretsFrom(secrets),
              },
              delivery,
            ),
        },
      },
    })
  })
  afterAll(() => api.stop())

  const deliver = async (
    body: string | Buffer,
    headers: Record<string, string> = {},
    path = 'github',
    key = 'one',
    prefix = '',
  ) => {
    const signature = createHmac('sha256', key).update(prefix).update(body).digest('hex')
    const response = await api.server.app.inject({
      method: 'POST',
      url: `/api/v1/webhooks/${path}`,
      headers: {
        host: '127.0.0.1',
        'content-type': 'application/json',
        'x-hub-signature-256': `sha256=${signature}`,
        ...headers,
      },
      payload: body,
    })
    return { status: response.statusCode, body: response.json() as Record<string, unknown> }
  }
  const eventOf = async (id: unknown) =>
    (await readEvents(api.store.reader, { limit: 100 })).find(({ event_id }) => event_id === id)

  it('makes a signed delivery an event that starts runs of the blueprints of its namespace', async () => {
    const answer = await deliver('{"title": "Fix it"}', {
      'x-github-delivery': 'd-1',
      'x-github-event': 'pull_request',
      authorization: 'Bearer of-somebody',
      cookie: 'a=b',
    })
    expect(answer).toMatchObject({ status: 202, body: { event_name: 'webhook.github' } })
    const event = await eventOf(answer.body['event_id'])
    expect(event).toMatchObject({
      actor: 'webhook:default/github',
      env_id: 'default',
      resource: { type: 'Webhook', id: 'default/github' },
      data: { delivery: 'd-1', body: { title: 'Fix it' } },
    })
    expect(Object.keys(event!.data['headers'] as JsonObject).sort()).toEqual([
      'content-type',
      'user-agent',
      'x-github-delivery',
      'x-github-event',
    ])
    const triggers = createTriggers({ store: api.store, blueprints, environmentOf, created: () => {}, pollMs: 20 })
    triggers.start()
    const runs = await until(
      () => api.store.reader`SELECT blueprint_uid, trigger, trigger_event, inputs FROM runs`,
      (rows) => rows.length > 0,
    )
    await triggers.stop()
    expect([...runs]).toEqual([
      {
        blueprint_uid: pulls.uid,
        trigger: 'webhook:github',
        trigger_event: event!.event_id,
        inputs: { title: 'Fix it' },
      },
    ])
  })

  it('gives the first answer again for the same id, or the same body, within the window', async () => {
    const first = await deliver('{"n": 1}', { 'x-github-delivery': 'same' })
    const sameId = await deliver('{"n": 2}', { 'x-github-delivery': 'same' })
    const sameBody = await deliver('{"n": 1}', { 'x-github-delivery': 'other' })
    const both = await deliver('{"n": 1}')
    expect(first.status).toBe(202)
    for (const again of [sameId, sameBody, both]) {
      expect(again.status).toBe(200)
      expect(again.body['event_id']).toBe(first.body['event_id'])
    }
    const fresh = await deliver('{"n": 3}', { 'x-github-delivery': 'third' })
    expect(fresh.status).toBe(202)
    const twice = await Promise.all([deliver('{"n": 4}'), deliver('{"n": 4}')])
    expect(twice.map(({ status }) => status).sort()).toEqual([200, 202])
    await api.store.engine`UPDATE idempotency_keys SET created_at = created_at - interval '301 seconds'`
    const later = await deliver('{"n": 1}', { 'x-github-delivery': 'same' })
    expect(later.status).toBe(202)
    expect(later.body['event_id']).not.toBe(first.body['event_id'])
  })

  it('takes the key of any blueprint that declares it, so that keys can be rotated', async () => {
    expect((await deliver('{"k": 1}', {}, 'github', 'one')).status).toBe(202)
    expect((await deliver('{"k": 2}', {}, 'github', 'two')).status).toBe(202)
    // The other namespace has one key only.
    expect((await deliver('{"k": 3}', {}, 'github?namespace=other', 'two')).status).toBe(401)
    expect((await deliver('{"k": 4}', {}, 'github?namespace=other', 'one')).status).toBe(202)
  })

  it('refuses without a word about why', async () => {
    const head = (await readEvents(api.store.reader, { limit: 1, order: 'desc' }))[0]!.seq
    const wrong = await deliver('{}', {}, 'github', 'wrong')
    expect(wrong).toMatchObject({ status: 401, body: { error: { message: 'the delivery was not accepted' } } })
    const unsigned = await deliver('{}', { 'x-hub-signature-256': '' })
    expect(unsigned.body['error']).toEqual(wrong.body['error'])
    expect((await deliver('{}', {}, 'unknown')).status).toBe(404)
    expect((await deliver('{}', {}, 'keyless')).status).toBe(503)
    expect((await deliver('{}', {}, 'github?namespace=nowhere')).status).toBe(404)
    // Signed, but nothing that can be stored.
    expect((await deliver('{"broken":')).body['error']).toMatchObject({ code: 'invalid_json' })
    expect((await deliver('{"a": "\\u0000"}')).body['error']).toMatchObject({ code: 'invalid_text' })
    expect((await deliver(Buffer.from([0xff]))).body['error']).toMatchObject({ code: 'invalid_text' })
    expect((await deliver(`"${'x'.repeat(1_048_576)}"`)).status).toBe(413)
    expect((await readEvents(api.store.reader, { limit: 1, order: 'desc' }))[0]!.seq).toBe(head)
  })

  it('takes large bodies, forms, text and nothing at all', async () => {
    const bodyOf = async (answer: { body: Record<string, unknown> }) =>
      (await eventOf(answer.body['event_id']))!.data['body']
    const large = JSON.stringify({ text: 'x'.repeat(1_000_000) })
    expect((await deliver(large)).status).toBe(202)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await bodyOf(await deliver('a=1&b=x%20y', form))).toEqual({ a: '1', b: 'x y' })
    expect(await bodyOf(await deliver('plain', { 'content-type': 'text/plain' }))).toBe('plain')
    expect(await bodyOf(await deliver('', { 'x-github-delivery': 'empty' }))).toBeNull()
  })

  it('checks the time of a delivery where the webhook asks for it', async () => {
    const now = Math.floor(Date.now() / 1000)
    const at = (seconds: number) =>
      deliver(`{"t": ${seconds}}`, { 'x-time': String(seconds) }, 'timed', 'one', `${seconds}.`)
    expect((await at(now)).status).toBe(202)
    expect((await at(now - 400)).status).toBe(401)
  })

  it('refuses what does not fit the schema of its event, but only when it is signed', async () => {
    const misfit = await deliver('{"name": 1}', {}, 'typed')
    expect(misfit).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'invalid_event_data',
          details: { violations: [{ path: 'data/body/title', message: 'is missing' }] },
        },
      },
    })
    expect((await deliver('{"name": 1}', {}, 'typed', 'wrong')).status).toBe(401)
    expect((await deliver('{"title": "Fix it"}', {}, 'typed')).status).toBe(202)
  })
})

describe('deliveries that come again', () => {
  const clock = new SetClock('2026-05-01T00:00:00Z')
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore({ clock })
  })
  afterAll(() => store.end())

  /** What the replay window says, in a few words: an id or a body stands for the event it was first seen with. */
  function model(windowMs: number) {
    const seen = new Map<string, { at: number; event: number }>()
    let events = 0
    return (keys: readonly string[], now: number): { event: number; isNew: boolean } => {
      const known = keys.map((key) => seen.get(key)).filter((one) => one !== undefined && now - one.at <= windowMs)
      const event = known[0]?.event ?? events++
      for (const key of keys) {
        const one = seen.get(key)
        if (one === undefined || now - one.at > windowMs) seen.set(key, { at: now, event })
      }
      return { event, isNew: known.length === 0 }
    }
  }

  it('make one event within the window, by their id or their body, and another one after it', async () => {
    let hook = 0
    const delivery = fc.record({
      id: fc.constantFrom(null, 'a', 'b'),
      body: fc.constantFrom('1', '2'),
      minutes: fc.nat(4),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(delivery, { maxLength: 12 }), async (deliveries) => {
        const name = `again-${hook++}`
        const again = blueprintOf(name, { triggers: [{ webhook: { ...webhook(), name, replayWindow: '5m' } }], plan })
        const deps = {
          store,
          blueprints: blueprintsOf([again]),
          environmentOf,
          eventTypes: { all: async () => [], find: async () => null },
          secrets: { read: async () => 'one', peek: async () => 'one' },
        }
        const expected = model(300_000)
        const ids: string[] = []
        for (const { id, body, minutes } of deliveries) {
          clock.set(new Date(clock.now().getTime() + minutes * 60_000))
          const { event, isNew } = expected(
            [...(id === null ? [] : [`id ${id}`]), `body ${body}`],
            clock.now().getTime(),
          )
          const signature = createHmac('sha256', 'one').update(body).digest('hex')
          const answer = await receiveWebhook(deps, {
            namespace: 'default',
            name,
            headers: { 'x-hub-signature-256': signature, ...(id === null ? {} : { 'x-github-delivery': id }) },
            body: Buffer.from(body),
            content: () => body,
            correlationId: 'again',
          })
          expect(answer.seq !== null).toBe(isNew)
          if (isNew) ids.push(answer.eventId)
          expect(answer.eventId).toBe(ids[event])
        }
      }),
      { numRuns: 25 },
    )
  })
})
