import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deadLetters, oldMessages } from '../../src/bus/chores.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { asAdmin } from '../support/api-server.ts'
import { type MessagesApi, startMessagesApi } from '../support/messages-api.ts'

let api: MessagesApi

beforeAll(async () => {
  api = await startMessagesApi({
    pendingFor: async ({ name }) => (name === 'paused' ? [{ event: 'intervention', data: { action: 'pause' } }] : []),
  })
  for (const name of [
    'ada',
    'bob',
    'paused',
    'reader',
    'busy',
    'late',
    'again',
    'lost',
    'thread-a',
    'thread-b',
    'thread-c',
  ])
    api.declare(name)
  api.declare('numbered', { agentId: '007' })
})
afterAll(() => api.stop())

const bodies = (answer: { body: { messages: { body: string }[] } }) => answer.body.messages.map(({ body }) => body)
const poll = (agent: string, query = '') => api.get(`/api/v1/messages/poll?limit=100${query}`, api.as(agent))
const note = (agent: string, body: string, more: object = {}) => api.send({ to: { agent }, body, ...more })
const ack = (agent: string, id: string) => api.post(`/api/v1/messages/${id}/ack`, api.as(agent))
const later = (ms: number) => api.clock.set(new Date(api.clock.now().getTime() + ms))

describe('a message to an agent', () => {
  it('is stored as it was sent before 201, with its event in the log', async () => {
    const sent = await api.send(
      { to: { agent: 'ada' }, type: 'request', subject: 'Übung', body: '<b>ü𝄞</b>', data: { n: 1 } },
      api.as('bob'),
    )
    expect([sent.status, sent.body]).toEqual([
      201,
      expect.objectContaining({
        from: 'agent:default/bob',
        to: { agent: 'ada' },
        type: 'request',
        subject: 'Übung',
        body: '<b>ü𝄞</b>',
        data: { n: 1 },
        thread_id: sent.body.message_id,
        sent_at: '2030-01-01T00:00:00.000Z',
        recipients: 1,
      }),
    ])
    const event = (await api.get(`/api/v1/events/${sent.body.message_id}`)).body
    expect(event).toMatchObject({
      seq: sent.body.seq,
      event_name: 'stateward.message.sent',
      actor: 'agent:default/bob',
      data: { namespace: 'default', agent: 'ada', from: 'agent:default/bob', subject: 'Übung' },
    })
    expect(JSON.stringify(event)).not.toContain('𝄞')
    const read = await api.get(`/api/v1/messages/${sent.body.message_id}`)
    expect(read.body).toMatchObject({ message: sent.body, deliveries: [{ agent: 'ada', attempts: 0, acked_at: null }] })
  })

  it('comes again at every poll, in order, until it is acknowledged, and acknowledging twice is no error', async () => {
    const [first] = [await note('reader', 'one'), await note('reader', 'two')]
    expect(bodies(await poll('reader'))).toEqual(['one', 'two'])
    expect(bodies(await poll('reader'))).toEqual(['one', 'two'])
    const acked = await ack('reader', first.body.message_id)
    expect(acked).toMatchObject({ status: 200, body: { agent: 'reader', acked_at: '2030-01-01T00:00:00.000Z' } })
    expect((await ack('reader', first.body.message_id)).body.acked_at).toBe(acked.body.acked_at)
    expect(bodies(await poll('reader'))).toEqual(['two'])
    const acks = await api.get(
      `/api/v1/events?event_name=stateward.message.acknowledged&resource_type=Message&resource_id=${first.body.message_id}`,
    )
    expect(acks.body.items).toHaveLength(1)
  })

  it('reaches an agent by its id, and nobody when there is none', async () => {
    await note('007', 'by id')
    expect(bodies(await poll('numbered'))).toEqual(['by id'])
    expect(await note('nobody', 'x')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
  })

  it('is read in pages', async () => {
    for (let n = 0; n < 5; n++) await note('busy', `m${n}`)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page = await api.get(`/messages/poll?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`, api.as('busy'))
      seen.push(...bodies(page))
      cursor = page.body.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
  })

  it('comes after interventions', async () => {
    await note('paused', 'work')
    const { interventions, messages } = (await poll('paused')).body
    expect([interventions, messages.length]).toEqual([[{ action: 'pause' }], 1])
  })

  it('belongs to its agent alone', async () => {
    const { message_id } = (await note('ada', 'for ada')).body
    expect((await ack('bob', message_id)).status).toBe(404)
    expect((await api.get(`/api/v1/messages/${message_id}`, api.as('bob'))).status).toBe(404)
    expect((await api.get('/api/v1/messages/poll?agent=ada', api.as('bob'))).status).toBe(403)
    expect((await api.send({ to: { agent: 'ada' }, body: 'x', namespace: 'prod' }, api.as('bob'))).status).toBe(403)
    expect((await api.get('/api/v1/messages/poll')).status).toBe(400)
    expect(
      (await api.get('/api/v1/messages/poll?agent=ada')).body.messages.map(({ body }: { body: string }) => body),
    ).toContain('for ada')
    expect((await api.get('/api/v1/messages', {})).status).toBe(401)
  })
})

describe('what is refused', () => {
  it.each([
    ['nine attachments', { attachments: Array.from({ length: 9 }, () => ({ artifact_id: uuidv7() })) }, 400],
    ['an artifact that is not there', { attachments: [{ artifact_id: uuidv7() }] }, 404],
    ['two receivers', { to: { agent: 'ada', role: 'x' } }, 400],
    ['no body', { body: undefined }, 400],
    ['an end in the past', { expires_at: '2029-12-31T00:00:00.000Z' }, 400],
    ['a thread that is not there', { thread_id: uuidv7() }, 404],
    ['an answer to nothing', { reply_to: uuidv7() }, 404],
    ['more than 20,480 bytes', { data: { text: 'x'.repeat(21_000) } }, 413],
  ])('%s', async (_what, wrong, status) => {
    const answer = await api.send({ to: { agent: 'ada' }, body: 'x', ...wrong })
    expect([answer.status, typeof answer.body.error.code]).toEqual([status, 'string'])
  })
})

describe('an idempotency key', () => {
  it('makes what is sent again the same message, for its sender', async () => {
    const body = { to: { agent: 'ada' }, body: 'once', idempotency_key: 'k1' }
    const first = await api.send(body)
    expect(await api.send(body)).toEqual({ status: 201, body: first.body })
    expect((await api.send({ ...body, body: 'other' })).status).toBe(409)
    expect((await api.send(body, api.as('bob'))).body.message_id).not.toBe(first.body.message_id)
    const { idempotency_key: _key, ...plain } = body
    const byHeader = await api.send(plain, { ...asAdmin, 'idempotency-key': 'k1' })
    expect(byHeader.body.message_id).toBe(first.body.message_id)
  })

  it('lets twenty at once be one', async () => {
    const body = { to: { agent: 'ada' }, body: 'race', idempotency_key: 'race' }
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.send(body)))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.message_id}`)).size).toBe(1)
  })

  it('does not get lost among many messages sent at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        api.send({ to: { agent: 'late' }, body: `n${n}`, ...(n % 2 === 0 ? {} : { idempotency_key: `n${n}` }) }),
      ),
    )
    expect(answers.every(({ status }) => status === 201)).toBe(true)
    const polled = new Set<string>()
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Awaited<ReturnType<typeof poll>> = await poll('late', cursor === '' ? '' : `&cursor=${cursor}`)
      for (const { message_id } of page.body.messages) polled.add(message_id)
      cursor = page.body.next_cursor
    }
    expect(polled).toEqual(new Set(answers.map(({ body }) => body.message_id)))
    const seqs = answers.map(({ body }) => body.seq).sort((a, b) => a - b)
    expect(new Set(seqs).size).toBe(200)
  })
})

describe('roles and topics', () => {
  it('reach every agent that holds the role, and each acknowledges for itself', async () => {
    api.declare('night', { messages: { roles: ['on-call'] } })
    api.declare('day', { messages: { roles: ['on-call', 'billing'] } })
    const sent = await api.send({ to: { role: 'on-call' }, body: 'wake up' })
    expect(sent.body.recipients).toBe(2)
    expect([bodies(await poll('night')), bodies(await poll('day'))]).toEqual([['wake up'], ['wake up']])
    await ack('night', sent.body.message_id)
    expect([bodies(await poll('night')), bodies(await poll('day'))]).toEqual([[], ['wake up']])
    expect(bodies(await poll('bob'))).not.toContain('wake up')
  })

  it('keep what nobody could take for the one who holds the role later', async () => {
    api.declare('heir')
    const sent = await api.send({ to: { role: 'auditor' }, body: 'look' })
    expect(sent.body.recipients).toBe(0)
    expect(bodies(await poll('heir'))).toEqual([])
    api.declare('heir', { messages: { roles: ['auditor'] } })
    expect(bodies(await poll('heir'))).toEqual(['look'])
    await ack('heir', sent.body.message_id)
    expect(bodies(await poll('heir'))).toEqual([])
  })

  it('send a topic to those who follow it at that moment', async () => {
    api.declare('follower', { messages: { topics: ['deploys'] } })
    api.declare('late-follower')
    const sent = await api.send({ to: { topic: 'deploys' }, body: 'v2 is out' })
    expect(sent.body).toMatchObject({ topic: 'deploys', recipients: 1 })
    api.declare('late-follower', { messages: { topics: ['deploys'] } })
    expect([bodies(await poll('follower')), bodies(await poll('late-follower'))]).toEqual([['v2 is out'], []])
  })
})

describe('threads', () => {
  it('hold a message and its answers, for those who take part', async () => {
    const asked = await api.send({ to: { agent: 'thread-b' }, body: 'how many?' }, api.as('thread-a'))
    const { message_id, thread_id } = asked.body
    const answered = await api.send(
      { to: { agent: 'thread-a' }, body: 'three', reply_to: message_id },
      api.as('thread-b'),
    )
    expect(answered.body).toMatchObject({ thread_id, reply_to: message_id })
    const thread = await api.get(`/api/v1/messages?thread_id=${thread_id}&order=asc`, api.as('thread-a'))
    expect(thread.body.items.map(({ body }: { body: string }) => body)).toEqual(['how many?', 'three'])
    const stranger = api.as('thread-c')
    expect((await api.send({ to: { agent: 'ada' }, body: 'x', thread_id }, stranger)).status).toBe(403)
    expect((await api.get(`/api/v1/messages?thread_id=${thread_id}`, stranger)).body.items).toEqual([])
  })

  it('are listed with who spoke and what was said last, the one spoken in last first', async () => {
    for (const name of ['talk-a', 'talk-b', 'talk-c']) api.declare(name)
    const open = (from: string, to: string, subject: string, topic?: string) =>
      api.send({ to: { agent: to }, body: 'well?', subject, ...(topic === undefined ? {} : { topic }) }, api.as(from))
    const first = (await open('talk-a', 'talk-b', 'quorum lost', 'storage')).body
    const second = (await open('talk-a', 'talk-c', 'lunch')).body
    await api.send({ to: { agent: 'talk-a' }, body: 'found again', reply_to: first.message_id }, api.as('talk-b'))
    const list = async (query: string, headers?: Record<string, string>) =>
      (await api.get(`/api/v1/messages/threads?${query}`, headers)).body
    const { items } = await list('agent=talk-a')
    expect(items).toMatchObject([
      {
        thread_id: first.thread_id,
        subject: 'quorum lost',
        messages: 2,
        speakers: ['agent:default/talk-a', 'agent:default/talk-b'],
        last: { body: 'found again', from: 'agent:default/talk-b' },
      },
      { thread_id: second.thread_id, subject: 'lunch', messages: 1, last: { body: 'well?' } },
    ])
    const ids = async (query: string, headers?: Record<string, string>) =>
      (await list(query, headers)).items.map(({ thread_id }: { thread_id: string }) => thread_id)
    expect(await ids('q=quorum')).toEqual([first.thread_id])
    expect(await ids('topic=storage')).toEqual([first.thread_id])
    expect(await ids('agent=talk-c')).toEqual([second.thread_id])
    expect(await ids('', api.as('talk-c'))).toEqual([second.thread_id])
    expect(await ids('agent=talk-c', api.as('talk-b'))).toEqual([first.thread_id])
    const page = await list('agent=talk-a&limit=1')
    expect(await ids(`agent=talk-a&limit=1&cursor=${page.next_cursor}`)).toEqual([second.thread_id])
    expect((await api.get('/api/v1/messages/threads?namespace=other', api.as('talk-a'))).status).toBe(403)
  })
})

describe('dead letters', () => {
  it('come of ten attempts, each a minute or more apart, and can be handed out again', async () => {
    const { message_id } = (await note('again', 'unheard')).body
    for (let attempt = 1; attempt <= 10; attempt++) {
      for (const _poll of [1, 2]) expect((await poll('again')).body.messages[0]).toMatchObject({ attempt })
      later(60_000)
    }
    expect(bodies(await poll('again'))).toEqual([])
    const dead = await api.get('/api/v1/messages/dead-letters?agent=again')
    expect(dead.body.items).toMatchObject([
      { message: { message_id }, delivery: { agent: 'again', attempts: 10, dead_reason: 'unacknowledged' } },
    ])
    expect((await api.post(`/api/v1/messages/${message_id}/redeliver`, api.as('again'))).status).toBe(403)
    expect(await api.post(`/api/v1/messages/${message_id}/redeliver`)).toMatchObject({
      status: 200,
      body: { agents: ['again'] },
    })
    expect((await api.post(`/api/v1/messages/${message_id}/redeliver`)).status).toBe(409)
    expect((await poll('again')).body.messages).toMatchObject([{ message_id, attempt: 1 }])
    await ack('again', message_id)
    expect((await api.get('/api/v1/messages/dead-letters?agent=again')).body.items).toEqual([])
  })

  it('come of messages that are over, also when nobody asks for them', async () => {
    const { message_id } = (
      await note('lost', 'soon', { expires_at: new Date(api.clock.now().getTime() + 5_000).toISOString() })
    ).body
    await note('lost', 'forever')
    later(5_000)
    expect(await deadLetters(api.store, (seq) => api.feed.nudge(seq)).run()).toBe(1)
    const events = await api.get('/api/v1/events?event_name=stateward.message.dead_lettered')
    expect(events.body.items[0]).toMatchObject({
      resource: { id: message_id },
      data: { agent: 'lost', reason: 'expired', attempts: 0 },
    })
    expect(bodies(await poll('lost'))).toEqual(['forever'])
  })
})

describe('searching', () => {
  it('finds words, phrases and what is without a word, by agent, topic and date, in pages', async () => {
    later(86_400_000)
    api.declare('searcher')
    api.declare('scribe', { messages: { topics: ['incidents'] } })
    const from = api.clock.now().toISOString()
    await note('searcher', 'the disk of web-1 is full', { subject: 'Alarm' })
    await note('searcher', 'the disk of web-2 is fine')
    await api.send({ to: { topic: 'incidents' }, body: 'nginx has a full queue' })
    await api.send({ to: { agent: 'ada' }, body: 'full report' }, api.as('searcher'))
    later(86_400_000)
    const to = api.clock.now().toISOString()
    await note('searcher', 'the disk of web-3 is full')
    const found = async (query: string) =>
      (await api.get(`/api/v1/messages/search?order=asc&${query}`)).body.items.map(({ body }: { body: string }) => body)
    const day = `from=${from}&to=${to}`
    expect(await found(`q=disk%20full&${day}`)).toEqual(['the disk of web-1 is full'])
    expect(await found(`q=${encodeURIComponent('"web-2 is"')}`)).toEqual(['the disk of web-2 is fine'])
    expect(await found(`q=disk%20-full&${day}`)).toEqual(['the disk of web-2 is fine'])
    expect(await found(`q=alarm&${day}`)).toEqual(['the disk of web-1 is full'])
    expect(await found('topic=incidents')).toEqual(['nginx has a full queue'])
    expect(await found(`agent=searcher&q=full&${day}`)).toEqual(['the disk of web-1 is full', 'full report'])
    expect(await found(`agent=scribe`)).toEqual(['nginx has a full queue'])
    expect(await found(`q=full&from=${to.slice(0, 10)}`)).toEqual(['the disk of web-3 is full'])
    expect(await found(`q=${encodeURIComponent(`'; drop table messages --`)}`)).toEqual([])
    const pages: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: Awaited<ReturnType<typeof poll>> = await api.get(
        `/messages/search?q=full&limit=2&${day}${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      pages.push(...body.items.map((item: { body: string }) => item.body))
      cursor = body.next_cursor
    }
    expect(pages).toEqual(['full report', 'nginx has a full queue', 'the disk of web-1 is full'])
    expect((await api.get('/messages/search?from=2030-13-01')).status).toBe(400)
  })

  it('finds words inside markup, addresses and paths', async () => {
    api.declare('reader')
    const report = '<event level="edge"><b>raid</b>degraded</event>'
    const link = 'see https://wiki.example.com/storage/cleanup?volume=vol-7 or ask ada@ops.example.com'
    const path = 'tail of /var/log/postgres/checkpoint.log: done'
    for (const body of [report, link, path]) await note('reader', body)
    const found = async (words: string) =>
      (await api.get(`/api/v1/messages/search?order=asc&agent=reader&q=${encodeURIComponent(words)}`)).body.items.map(
        ({ body }: { body: string }) => body,
      )
    for (const words of ['raid', 'degraded', 'edge', 'level="edge"', '<b>raid', 'raid -checkpoint'])
      expect([words, await found(words)]).toEqual([words, [report]])
    for (const words of [
      'wiki',
      'cleanup',
      'vol-7',
      'ada',
      'ops.example.com',
      'https://wiki.example.com/storage',
      '"storage/cleanup"',
    ])
      expect([words, await found(words)]).toEqual([words, [link]])
    for (const words of ['postgres', 'checkpoint.log', '/var/log', 'checkpoint -wiki'])
      expect([words, await found(words)]).toEqual([words, [path]])
    expect(await found('example -storage')).toEqual([])
  })

  it('is kept for a time, and longer while somebody has not acknowledged', async () => {
    api.declare('keeper')
    const done = (await note('keeper', 'done')).body
    await ack('keeper', done.message_id)
    await note('keeper', 'waits')
    later(40 * 86_400_000)
    expect(await oldMessages(api.store, 30 * 86_400_000).run()).toBeGreaterThan(0)
    expect((await api.get(`/api/v1/messages/${done.message_id}`)).status).toBe(404)
    expect(bodies(await poll('keeper'))).toEqual(['waits'])
  })
})
