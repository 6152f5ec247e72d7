import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Message, StatewardClient } from '../../../sdk/typescript/src/index.ts'
import { ManualClock } from '../../../sdk/typescript/src/manual-clock.ts'
import { until } from '../support/agent-fleet.ts'
import { type CutProxy, openCutProxy } from '../support/cut-proxy.ts'
import { type MessagesApi, startMessagesApi } from '../support/messages-api.ts'

let api: MessagesApi
let proxy: CutProxy

beforeAll(async () => {
  api = await startMessagesApi({ listen: true, timing: { keepaliveMs: 50 } })
  proxy = await openCutProxy(api.url)
})
afterAll(async () => {
  await proxy.close()
  await api.stop()
})

function clientOf(agent: string, clock?: ManualClock): StatewardClient {
  const token = api.as(agent)['authorization']!.replace('Bearer ', '')
  return new StatewardClient({ url: proxy.url, token, ...(clock === undefined ? {} : { clock }) })
}

it('sends, polls and acknowledges', async () => {
  api.declare('sender')
  api.declare('taker')
  const sent = await clientOf('sender').send({ to: { agent: 'taker' }, body: 'hello', idempotency_key: 'k' })
  expect(
    (await clientOf('sender').send({ to: { agent: 'taker' }, body: 'hello', idempotency_key: 'k' })).message_id,
  ).toBe(sent.message_id)
  const taker = clientOf('taker')
  expect((await taker.poll()).messages).toMatchObject([{ message_id: sent.message_id, body: 'hello', attempt: 1 }])
  await taker.ack(sent.message_id)
  expect((await taker.poll({ limit: 10 })).messages).toEqual([])
  await expect(taker.send({ to: { agent: 'nobody' }, body: 'x' })).rejects.toMatchObject({
    status: 404,
    code: 'not_found',
  })
})

it('sends again when nobody answers, and nothing twice', async () => {
  api.declare('patient')
  const clock = new ManualClock()
  proxy.cut()
  const sending = clientOf('patient', clock).send({ to: { agent: 'patient' }, body: 'at last' })
  await until('the first attempt to fail', async () => (await clock.next()) === 500)
  proxy.mend()
  await clock.advance(500)
  const { message_id } = await sending
  expect((await api.get(`/api/v1/messages/${message_id}`)).status).toBe(200)
})

it('loses nothing and handles nothing twice while the network comes and goes', async () => {
  api.declare('steady')
  const clock = new ManualClock()
  const handled: Message[] = []
  const states: string[] = []
  const channel = clientOf('steady', clock).channel(
    { agent: 'steady' },
    { message: (message) => void handled.push(message), state: (state) => void states.push(state) },
  )
  const done = channel.run()
  const bodies: string[] = []
  const send = async (body: string): Promise<void> => {
    bodies.push(body)
    await api.send({ to: { agent: 'steady' }, body })
  }
  await until('the stream', () => states.at(-1) === 'streaming')
  for (let round = 0; round < 3; round++) {
    await send(`live ${round}`)
    await until('the live message', () => handled.length === bodies.length)
    await clock.advance(1_000)
    proxy.cut()
    await until('the channel to notice', () => states.at(-1) === 'connecting')
    await send(`away ${round}`)
    await until('it to wait for its next attempt', async () => ((await clock.next()) ?? 0) > 0)
    proxy.mend()
    await until('the channel to come back', async () => {
      await clock.advance((await clock.next()) ?? 0)
      return states.at(-1) === 'streaming'
    })
    await until('the message of the meantime', () => handled.length === bodies.length)
  }
  expect(handled.map(({ body }) => body)).toEqual(bodies)
  await until('everything to be acknowledged', async () => {
    const { body } = await api.get('/api/v1/messages/poll?agent=steady')
    return body.messages.length === 0
  })
  channel.close()
  expect(await done).toBe('closed')
})

it('gives way to a newer connection of the same instance', async () => {
  api.declare('double')
  const [states, before]: string[][] = [[], []]
  const older = clientOf('double').channel({ agent: 'double' }, { state: (state) => void before!.push(state) })
  const newer = clientOf('double').channel({ agent: 'double' }, { state: (state) => void states!.push(state) })
  const first = older.run()
  await until('the older one', () => before!.at(-1) === 'streaming')
  const second = newer.run()
  expect(await first).toBe('superseded')
  await until('the newer one', () => states!.at(-1) === 'streaming')
  newer.close()
  expect(await second).toBe('closed')
})
