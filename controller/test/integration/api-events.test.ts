import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emit } from '../support/api-rows.ts'
import { asAdmin, startApi, type TestApi } from '../support/api-server.ts'
import { type LineReader, openLines } from '../support/http-lines.ts'

let api: TestApi

beforeAll(async () => {
  api = await startApi({
    listen: true,
    options: { timing: { keepaliveMs: 50, slowReaderMs: 300 }, streamsPerPrincipal: 3 },
  })
})
afterAll(() => api.stop())

const post = (payload: object, headers: Record<string, string> = {}) =>
  api.server.app.inject({ method: 'POST', url: '/api/v1/events', headers: { ...asAdmin, ...headers }, payload })
const get = async (url: string) => (await api.server.app.inject(url)).json()

/** The next message of an event stream: its id and event. */
async function message(stream: LineReader): Promise<{ id: string; data: Record<string, unknown> }> {
  let id = ''
  for (;;) {
    const line = await stream.next()
    if (line === null) throw new Error('the stream ended')
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('data: ')) return { id, data: JSON.parse(line.slice(6)) }
  }
}

describe('the event log over HTTP', () => {
  it('stores what was sent before it answers 201, with its number', async () => {
    const response = await post({
      event_name: 'checkmk.alert',
      data: { host: 'web-1', text: '<b>ü𝄞</b>' },
      resource: { type: 'host', id: 'web-1' },
    })
    expect(response.statusCode).toBe(201)
    const event = response.json()
    expect(event).toMatchObject({
      event_name: 'checkmk.alert',
      actor: 'user:ada',
      env_id: 'default',
      correlation_id: response.headers['x-correlation-id'],
      run_id: null,
      resource: { type: 'host', id: 'web-1' },
      data: { host: 'web-1', text: '<b>ü𝄞</b>' },
      seq: expect.any(Number),
    })
    expect(await get(`/api/v1/events/${event.event_id}`)).toEqual(event)
  })

  it('lists the events that Stateward writes, with the schemas of their data', async () => {
    const { items } = await get('/api/v1/event-types')
    expect(items.map(({ event_name }: { event_name: string }) => event_name)).toContain('stateward.run.created')
    for (const { description, data_schema } of items) {
      expect(description).not.toBe('')
      expect(data_schema).toMatchObject({ type: 'object', additionalProperties: false })
    }
  })

  it('answers 404 for an event that is not there', async () => {
    expect((await api.server.app.inject('/api/v1/events/01900000-0000-7000-8000-000000000000')).statusCode).toBe(404)
    expect((await api.server.app.inject('/api/v1/events/nonsense')).statusCode).toBe(404)
  })

  it('pages in both directions, each event once', async () => {
    const last = await emit(
      api.store,
      ...Array.from({ length: 25 }, (_, n) => ({ event_name: 'page.test', data: { n } })),
    )
    for (const order of ['asc', 'desc']) {
      const seen: number[] = []
      let cursor: string | null = null
      do {
        const query: string = cursor === null ? '' : `&cursor=${cursor}`
        const page = await get(`/api/v1/events?event_name=page.*&limit=10&order=${order}${query}`)
        seen.push(...page.items.map((event: { seq: number }) => event.seq))
        cursor = page.next_cursor
      } while (cursor !== null)
      const all = Array.from({ length: 25 }, (_, n) => last - 24 + n)
      expect(seen).toEqual(order === 'asc' ? all : all.reverse())
    }
  })

  it('filters by name, pattern, resource, correlation id and environment', async () => {
    await emit(
      api.store,
      { event_name: 'filter.one', resource: { type: 'Agent', id: 'x' }, correlation_id: 'corr-1' },
      { event_name: 'filter.t_o', env_id: 'prod' },
      { event_name: 'filter.two' },
    )
    const names = async (query: string) =>
      (await get(`/api/v1/events?order=asc&${query}`)).items.map((event: { event_name: string }) => event.event_name)
    expect(await names('event_name=filter.one')).toEqual(['filter.one'])
    expect(await names('event_name=filter.t_*')).toEqual(['filter.t_o'])
    expect(await names('event_name=filter.*')).toEqual(['filter.one', 'filter.t_o', 'filter.two'])
    expect(await names('resource_type=Agent&resource_id=x')).toEqual(['filter.one'])
    expect(await names('correlation_id=corr-1')).toEqual(['filter.one'])
    expect(await names('env_id=prod')).toEqual(['filter.t_o'])
  })
})

describe('Idempotency-Key', () => {
  const count = async (name: string) => (await get(`/api/v1/events?event_name=${name}`)).items.length

  it('gives the first answer again instead of doing it twice', async () => {
    const first = await post({ event_name: 'idem.once' }, { 'idempotency-key': 'k1' })
    const again = await post({ event_name: 'idem.once' }, { 'idempotency-key': 'k1' })
    expect([again.statusCode, again.json(), again.headers['idempotency-replayed']]).toEqual([201, first.json(), 'true'])
    expect(await count('idem.once')).toBe(1)
  })

  it('lets ten at once do it once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post({ event_name: 'idem.race' }, { 'idempotency-key': 'k2' })),
    )
    expect(new Set(answers.map((answer) => answer.json().event_id)).size).toBe(1)
    expect(await count('idem.race')).toBe(1)
  })

  it('refuses the key for another request, and a key that is none', async () => {
    await post({ event_name: 'idem.first' }, { 'idempotency-key': 'k3' })
    const other = await post({ event_name: 'idem.second' }, { 'idempotency-key': 'k3' })
    expect([other.statusCode, other.json().error.code]).toEqual([409, 'conflict'])
    expect((await post({ event_name: 'idem.x' }, { 'idempotency-key': 'a b' })).statusCode).toBe(400)
  })
})

describe('event streams', () => {
  it('send what happens on /events/ui, in order, with its number as id', async () => {
    const stream = await openLines(`${api.url}/events/ui`)
    expect(stream.headers.get('content-type')).toContain('text/event-stream')
    expect(stream.headers.get('content-security-policy')).not.toBeNull()
    const sent = (await post({ event_name: 'stream.test' })).json()
    expect(await message(stream)).toEqual({ id: String(sent.seq), data: sent })
    stream.close()
  })

  it.each(['operator', 'founder'])('send alerts on /events/%s, and not what is nobody’s to decide', async (channel) => {
    const stream = await openLines(`${api.url}/events/${channel}`)
    await post({ event_name: 'stream.test', data: { channel } })
    const payload = { severity: 'warning', title: `the disk is full (${channel})` }
    const raised = await api.server.app.inject({ method: 'POST', url: '/alerts', headers: asAdmin, payload })
    expect(raised.statusCode).toBe(201)
    expect((await message(stream)).data).toMatchObject({
      event_name: 'stateward.alert.raised',
      data: { title: payload.title },
    })
    stream.close()
  })

  it('tell pages between events what hosts and agents use, and nobody who asked for less', async () => {
    await api.store.engine`
      INSERT INTO hosts (name, connection, metrics, joined_at)
      VALUES ('web-1', 'joined', ${api.store.engine.json({ cpuPercent: 7 })}, ${new Date()})`
    const stream = await openLines(`${api.url}/events/ui`)
    let line = await stream.next()
    while (line !== null && line !== 'event: metrics') line = await stream.next()
    expect(JSON.parse(String(await stream.next()).slice('data: '.length))).toEqual({
      hosts: [{ host: 'web-1', hardware: null, metrics: { cpuPercent: 7 } }],
      agents: [],
      gone: [],
    })
    stream.close()
    const filtered = await openLines(`${api.url}/events/ui?event_name=*`)
    const sent = (await post({ event_name: 'stream.test' })).json()
    expect((await message(filtered)).data).toEqual(sent)
    filtered.close()
    await api.store.engine`DELETE FROM hosts WHERE name = 'web-1'`
  })

  it('replay from Last-Event-ID or the cursor, the header winning, and go on live without a gap', async () => {
    const last = await emit(
      api.store,
      ...Array.from({ length: 1200 }, (_, n) => ({ event_name: 'replay.test', data: { n } })),
    )
    const stream = await openLines(`${api.url}/events/ui?cursor=0`, { 'last-event-id': String(last - 1200) })
    void emit(api.store, { event_name: 'replay.live' })
    for (let n = 0; n < 1200; n++) {
      const { id, data } = await message(stream)
      expect([id, data['event_name']]).toEqual([String(last - 1199 + n), 'replay.test'])
    }
    expect((await message(stream)).data['event_name']).toBe('replay.live')
    stream.close()
    const byCursor = await openLines(`${api.url}/events/ui?cursor=${last - 1}`)
    expect((await message(byCursor)).id).toBe(String(last))
    byCursor.close()
  })

  it('send only what was asked for', async () => {
    const stream = await openLines(`${api.url}/events/ui?event_name=wanted.*`)
    await emit(api.store, { event_name: 'unwanted.x' }, { event_name: 'wanted.x' })
    expect((await message(stream)).data['event_name']).toBe('wanted.x')
    stream.close()
  })

  it('say so when the cursor asked for does not exist', async () => {
    const stream = await openLines(`${api.url}/events/ui?cursor=999999999`)
    const lines = [await stream.next(), await stream.next(), await stream.next()]
    expect(lines[2]).toBe('event: cursor.reset')
    stream.close()
    expect((await api.server.app.inject({ url: '/events/ui', headers: { 'last-event-id': 'x' } })).statusCode).toBe(400)
  })

  it('keep a silent connection alive', async () => {
    const stream = await openLines(`${api.url}/events/ui?event_name=never.comes`)
    let line = await stream.next()
    while (line !== ':keepalive') line = await stream.next()
    expect(line).toBe(':keepalive')
    stream.close()
  })

  it('refuse one more than a principal may have', async () => {
    const streams = await Promise.all([1, 2, 3].map(() => openLines(`${api.url}/events/ui`, asAdmin)))
    const refused = await fetch(`${api.url}/events/ui`, { headers: asAdmin })
    expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([
      429,
      'no_capacity',
    ])
    for (const stream of streams) stream.close()
  })

  it('cut off a reader that takes nothing, and stay bounded', async () => {
    const { port, hostname } = new URL(api.url)
    const from = await emit(api.store, { event_name: 'slow.start' })
    const socket = connect(Number(port), hostname)
    socket.write(`GET /events/ui?cursor=${from} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    socket.pause()
    const data = { text: 'x'.repeat(18_000) }
    for (let round = 0; round < 12; round++)
      await emit(api.store, ...Array.from({ length: 50 }, () => ({ event_name: 'slow.fill', data })))
    const dropped = async () => (await api.metrics.text()).includes('stateward_streams_dropped_total{kind="sse"} 1')
    for (let i = 0; i < 100 && !(await dropped()); i++) await delay(100)
    expect(await dropped()).toBe(true)
    socket.destroy()
  })
})
