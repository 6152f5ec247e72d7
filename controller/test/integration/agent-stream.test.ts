import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { emit } from '../support/api-rows.ts'
import { asAdmin } from '../support/api-server.ts'
import { type MessagesApi, startMessagesApi } from '../support/messages-api.ts'
import { openSse, type SseMessage, type SseReader } from '../support/sse.ts'

let api: MessagesApi
const interventions = new Map<string, { event: string; data: { action: string } }[]>()

beforeAll(async () => {
  api = await startMessagesApi({
    listen: true,
    timing: { keepaliveMs: 50, redeliverMs: 100 },
    pendingFor: async ({ name }) => interventions.get(name) ?? [],
  })
})
afterAll(() => api.stop())

const open = (agent: string, query = '', headers: Record<string, string> = {}) =>
  openSse(`${api.url}/events/${agent}${query}`, { ...api.as(agent), ...headers })
const note = async (agent: string, body: string) => (await api.send({ to: { agent }, body })).body
const ack = (agent: string, id: string) => api.post(`/api/v1/messages/${id}/ack`, api.as(agent))

/** The next message, which is one. */
async function message(stream: SseReader): Promise<SseMessage> {
  const next = await stream.next()
  expect(next?.data.event_name).toBe('stateward.message.sent')
  return next!
}

it('hands out interventions, then what waits, then what comes, with the id of the message as that of the event', async () => {
  api.declare('first')
  interventions.set('first', [{ event: 'intervention', data: { action: 'pause' } }])
  const waiting = await note('first', 'before')
  const stream = await open('first')
  expect(await stream.next()).toEqual({ id: expect.any(String), event: 'intervention', data: { action: 'pause' } })
  const before = await message(stream)
  expect([before.id, before.data.event_id, before.data.message]).toEqual([
    null,
    waiting.message_id,
    { ...waiting, attempt: 1 },
  ])
  const sent = await note('first', 'live')
  const live = await message(stream)
  expect([live.id, live.data.message]).toEqual([String(sent.seq), { ...sent, attempt: 1 }])
  stream.close()
})

it('tells an intervention when it is issued, before the messages of that moment', async () => {
  api.declare('stopped')
  const stream = await open('stopped')
  interventions.set('stopped', [{ event: 'intervention', data: { action: 'terminate' } }])
  const data = { namespace: 'default', agent: 'stopped', intervention_id: 'x' }
  await emit(api.store, { event_name: 'stateward.intervention.issued', data })
  expect(await stream.next()).toMatchObject({ event: 'intervention', data: { action: 'terminate' } })
  expect((await stream.next())?.data.event_name).toBe('stateward.intervention.issued')
  stream.close()
})

it('replays what concerns the agent and nothing else, without the messages that were acknowledged', async () => {
  api.declare('replayed')
  api.declare('other')
  const from = await emit(api.store, { event_name: 'replay.start' })
  const done = await note('replayed', 'done')
  const open1 = await note('replayed', 'open')
  await note('other', 'not yours')
  await ack('replayed', done.message_id)
  await emit(
    api.store,
    { event_name: 'work.offered', data: { namespace: 'default', agent: 'replayed', n: 1 } },
    { event_name: 'work.offered', data: { namespace: 'prod', agent: 'replayed', n: 2 } },
    { event_name: 'work.offered', data: { namespace: 'default', agents: ['other', 'replayed'], n: 3 } },
    { event_name: 'work.offered', data: { n: 4 } },
  )
  const stream = await open('replayed', `?cursor=0`, { 'last-event-id': String(from) })
  expect((await message(stream)).data.event_id).toBe(open1.message_id)
  const names: unknown[] = []
  for (let n = 0; n < 3; n++) {
    const { data } = (await stream.next())!
    names.push([data.event_name, data.data.n])
  }
  expect(names).toEqual([
    ['stateward.message.acknowledged', undefined],
    ['work.offered', 1],
    ['work.offered', 3],
  ])
  stream.close()
})

it('hands out again on a new connection, and on the same one after a minute without an acknowledgement', async () => {
  api.declare('slow')
  const sent = await note('slow', 'again')
  const first = await open('slow')
  expect((await message(first)).data.message.attempt).toBe(1)
  first.close()
  const second = await open('slow')
  expect((await message(second)).data.message).toMatchObject({ message_id: sent.message_id, attempt: 1 })
  api.clock.set(new Date(api.clock.now().getTime() + 60_000))
  expect((await message(second)).data.message).toMatchObject({ message_id: sent.message_id, attempt: 2 })
  await ack('slow', sent.message_id)
  second.close()
  const third = await open('slow')
  await note('slow', 'next')
  expect((await message(third)).data.message.body).toBe('next')
  third.close()
})

it('has one connection an instance: the newer wins, the older is told, and does not come back', async () => {
  api.declare('twice')
  const older = await open('twice', '?connection=a')
  const newer = await open('twice', '?connection=b')
  expect((await older.next())?.event).toBe('superseded')
  expect(await older.next()).toBeNull()
  const back = await fetch(`${api.url}/events/twice?connection=a`, { headers: api.as('twice') })
  expect(back.status).toBe(204)
  const replica = await openSse(`${api.url}/events/twice`, api.as('twice', 1))
  await note('twice', 'for both')
  for (const stream of [newer, replica]) {
    expect((await message(stream)).data.message.body).toBe('for both')
    stream.close()
  }
})

it('shows others what concerns the agent and takes nothing from it', async () => {
  api.declare('watched')
  const watcher = await openSse(`${api.url}/events/watched`, asAdmin)
  await note('watched', 'secret')
  const { data } = await message(watcher)
  expect(data.message).toBeUndefined()
  watcher.close()
  const polled = await api.get('/api/v1/messages/poll', api.as('watched'))
  expect(polled.body.messages).toMatchObject([{ body: 'secret', attempt: 1 }])
  expect((await fetch(`${api.url}/events/watched`, { headers: api.as('twice') })).status).toBe(403)
  expect((await fetch(`${api.url}/events/nobody`, { headers: asAdmin })).status).toBe(404)
})

it('says that the bus was restarted by its short name, too', async () => {
  api.declare('survivor')
  const streams = [
    await open('survivor'),
    await openSse(`${api.url}/events/ui`),
    await openSse(`${api.url}/events/founder`),
  ]
  await emit(api.store, { event_name: 'stateward.bus.restarted', data: { process: 'x', host: 'h', phases: [] } })
  for (const stream of streams) {
    expect((await stream.next())?.data.event_name).toBe('stateward.bus.restarted')
    expect((await stream.next())?.event).toBe('bus.restarted')
    stream.close()
  }
})

it('ends with the server, so that the client comes back', async () => {
  const other = await startMessagesApi({ listen: true })
  other.declare('closing')
  const stream = await openSse(`${other.url}/events/closing`, other.as('closing'))
  await delay(10)
  await other.stop()
  expect(await stream.next()).toBeNull()
})
