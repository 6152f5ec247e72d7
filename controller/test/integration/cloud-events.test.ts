import { HTTP, CloudEvent as SdkEvent } from 'cloudevents'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asAdmin, startApi, type TestApi } from '../support/api-server.ts'

describe('CloudEvents over HTTP', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startApi()
  })
  afterAll(() => api.stop())

  const post = async (headers: Record<string, unknown>, payload: unknown) => {
    const response = await api.server.app.inject({
      method: 'POST',
      url: '/api/v1/events',
      headers: { host: '127.0.0.1', ...asAdmin, ...(headers as Record<string, string>) },
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    })
    return { status: response.statusCode, body: response.json() as Record<string, unknown> }
  }
  const get = (url: string, accept: string) =>
    api.server.app.inject({ method: 'GET', url, headers: { host: '127.0.0.1', accept } })
  const event = (n: number) =>
    new SdkEvent({ source: '/their/system', type: 'their.thing.happened', subject: 'a/b', data: { n } })

  it('are taken in structured and in binary mode, as the SDK sends them', async () => {
    for (const [n, message] of [HTTP.structured(event(1)), HTTP.binary(event(2))].entries()) {
      const answer = await post(message.headers as Record<string, unknown>, message.body)
      expect(answer).toMatchObject({
        status: 201,
        body: {
          event_name: 'their.thing.happened',
          actor: 'user:ada',
          data: { n: n + 1, ce: { source: '/their/system', subject: 'a/b' } },
        },
      })
    }
  })

  it('are taken in batches, all or none', async () => {
    const type = { 'content-type': 'application/cloudevents-batch+json' }
    const batch = await post(type, [event(3), event(4)])
    expect(batch.status).toBe(201)
    const [first, second] = batch.body['items'] as { seq: number; data: { n: number } }[]
    expect([first!.data.n, second!.data.n]).toEqual([3, 4])
    expect(second!.seq).toBe(first!.seq + 1)
    const broken = await post(type, [event(5), { specversion: '1.0' }])
    expect(broken).toMatchObject({
      status: 400,
      body: { error: { details: { violations: [{ path: 'body/1/id' }, {}, {}] } } },
    })
    expect((await post(type, [])).status).toBe(400)
    const list = await api.server.app.inject({ url: '/api/v1/events', headers: { host: '127.0.0.1' } })
    expect((list.json() as { items: unknown[] }).items).toHaveLength(4)
  })

  it('are the same event when source and id are the same', async () => {
    const sent = { specversion: '1.0', id: 'order-1', source: '/shop', type: 'shop.order.placed', data: { total: 5 } }
    const type = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
    const answers = await Promise.all([post(type, sent), post(type, sent), post(type, sent)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201])
    expect(new Set(answers.map(({ body }) => body['event_id'])).size).toBe(1)
  })

  it('are refused in the same shape as everything else', async () => {
    const type = { 'content-type': 'application/cloudevents+json' }
    expect(
      (await post(type, { specversion: '1.0', id: '1', source: '/s', type: 'stateward.run.started' })).status,
    ).toBe(403)
    expect((await post(type, '[]')).status).toBe(400)
    expect((await post({ 'content-type': 'application/json' }, { event_name: 'Not A Name' })).status).toBe(400)
    expect((await post({ 'content-type': 'text/plain', 'ce-specversion': '1.0' }, 'x')).status).toBe(415)
  })

  it('are given to readers who ask for them', async () => {
    const sent = await post({ 'content-type': 'application/json' }, { event_name: 'our.shape', data: { a: 1 } })
    const one = await get(`/api/v1/events/${String(sent.body['event_id'])}`, 'application/cloudevents+json')
    expect(one.headers['content-type']).toMatch(/^application\/cloudevents\+json/)
    const read = HTTP.toEvent({ headers: one.headers as Record<string, string>, body: one.body }) as SdkEvent<unknown>
    expect(read.validate()).toBe(true)
    expect(read).toMatchObject({
      id: sent.body['event_id'],
      type: 'our.shape',
      source: '/stateward/default',
      data: { a: 1 },
    })
    const page = await get('/api/v1/events?limit=2', 'application/cloudevents-batch+json')
    expect(page.headers['content-type']).toMatch(/^application\/cloudevents-batch\+json/)
    expect(page.headers['x-next-cursor']).toBeTypeOf('string')
    const events = HTTP.toEvent({
      headers: page.headers as Record<string, string>,
      body: page.body,
    }) as SdkEvent<unknown>[]
    expect(events).toHaveLength(2)
    const plain = await get(`/api/v1/events/${String(sent.body['event_id'])}`, '*/*')
    expect(plain.json()).toMatchObject({ event_name: 'our.shape' })
  })
})
