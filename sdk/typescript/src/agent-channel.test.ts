import { describe, expect, it } from 'vitest'
import { AgentChannel, type ChannelState } from './agent-channel.ts'
import { ManualClock } from './manual-clock.ts'

type Answer = () => Response | Promise<Response>

/** A server of which a test says what it answers; requests are kept in order. */
function stage(handlers: Partial<ConstructorParameters<typeof AgentChannel>[2]> = {}) {
  const clock = new ManualClock()
  const asked: { readonly at: number; readonly path: string; readonly lastEventId: string | null }[] = []
  const seen = { states: [] as ChannelState[], warnings: [] as string[], handled: [] as string[] }
  let stream: Answer = () => Promise.reject(new TypeError('fetch failed'))
  let poll: Answer = () => Promise.reject(new TypeError('fetch failed'))
  const fetchIt = (async (input: string, init: RequestInit) => {
    const path = new URL(input).pathname
    asked.push({ at: clock.now(), path, lastEventId: new Headers(init.headers).get('last-event-id') })
    if (path.endsWith('/ack')) return Response.json({})
    return path.startsWith('/events/') ? stream() : poll()
  }) as typeof fetch
  const channel = new AgentChannel(
    { url: 'http://stateward', token: 't', fetch: fetchIt },
    { agent: 'sre', clock },
    {
      message: ({ body }) => void seen.handled.push(body),
      event: ({ event_name }) => void seen.handled.push(event_name),
      state: (state) => void seen.states.push(state),
      warn: (message) => void seen.warnings.push(message),
      ...handlers,
    },
  )
  return {
    clock,
    asked,
    seen,
    channel,
    attempts: () => asked.filter(({ path }) => path.startsWith('/events/')).map(({ at }) => at),
    polls: () => asked.filter(({ path }) => path.endsWith('/poll')).map(({ at }) => at),
    streams(answer: Answer) {
      stream = answer
    },
    polled(answer: Answer) {
      poll = answer
    },
  }
}

/** A stream that stays open; what is pushed arrives. */
function openStream() {
  let controller: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(own) {
      controller = own
    },
  })
  return {
    answer: () => new Response(body),
    push: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
  }
}

const message = (id: string, body: string) => ({ message_id: id, seq: 1, body, to: { agent: 'sre' } })
const frame = (seq: number | null, id: string, body: string) =>
  `${seq === null ? '' : `id: ${seq}\n`}data: ${JSON.stringify({ event_id: id, event_name: 'stateward.message.sent', message: message(id, body) })}\n\n`

describe('a connection that is lost', () => {
  it('is made again at once, then after 1, 2, 4 … 30 seconds; after five failures it polls, with one warning', async () => {
    const { clock, channel, attempts, polls, seen } = stage()
    const done = channel.run()
    await clock.next()
    for (let second = 0; second < 140; second++) await clock.advance(1_000)
    // The first attempt, and those to come back.
    expect(attempts().map((at) => at / 1000)).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121])
    expect(seen.warnings).toEqual(['the stream of sre could not be opened 5 times; polling'])
    expect(seen.states).toEqual(['connecting', 'polling'])
    // At once when it is lost, and every five seconds while the next attempt is awaited.
    expect(
      polls()
        .slice(0, 8)
        .map((at) => at / 1000),
    ).toEqual([0, 1, 3, 7, 12, 15, 20, 25])
    channel.close()
    expect(await done).toBe('closed')
  })

  it('is taken up where it was, at once', async () => {
    const { clock, channel, attempts, asked, streams, seen, polled } = stage()
    polled(() => Response.json({ interventions: [], messages: [], next_cursor: null }))
    const first = openStream()
    streams(first.answer)
    const done = channel.run()
    await clock.next()
    await clock.advance(5_000)
    first.push('retry: 1000\nid: 41\n\n')
    first.push(frame(42, 'a', 'one'))
    await clock.advance(5_000)
    const second = openStream()
    streams(second.answer)
    first.end()
    await clock.next()
    expect(attempts()).toEqual([0, 10_000])
    expect(asked.filter(({ path }) => path.startsWith('/events/')).map(({ lastEventId }) => lastEventId)).toEqual([
      null,
      '42',
    ])
    second.push(frame(43, 'b', 'two'))
    await clock.next()
    expect([seen.handled, seen.states]).toEqual([
      ['one', 'two'],
      ['connecting', 'streaming', 'connecting', 'streaming'],
    ])
    channel.close()
    await done
  })

  it('is dead after 60 seconds of silence; a keepalive is no silence', async () => {
    const { clock, channel, attempts, streams } = stage()
    const first = openStream()
    streams(first.answer)
    const done = channel.run()
    await clock.next()
    await clock.advance(30_000)
    first.push(':keepalive\n\n')
    await clock.next()
    await clock.advance(59_999)
    expect(attempts()).toEqual([0])
    streams(openStream().answer)
    await clock.advance(1)
    expect(attempts()).toEqual([0, 90_000])
    channel.close()
    await done
  })

  it('that a server ends as soon as it is open is not asked for without pause', async () => {
    const { clock, channel, attempts, streams } = stage()
    streams(() => new Response('retry: 1000\nid: 1\n\n'))
    const done = channel.run()
    await clock.next()
    for (let second = 0; second < 20; second++) await clock.advance(1_000)
    expect(attempts().map((at) => at / 1000)).toEqual([0, 1, 3, 7, 15])
    channel.close()
    await done
  })

  it('is not made again when another one took its place, or when the token is refused', async () => {
    const superseded = stage()
    const stream = openStream()
    superseded.streams(stream.answer)
    const done = superseded.channel.run()
    await superseded.clock.next()
    stream.push('event: superseded\ndata: {}\n\n')
    expect(await done).toBe('superseded')
    const empty = stage()
    empty.streams(() => new Response(null, { status: 204 }))
    expect(await empty.channel.run()).toBe('superseded')
    const refused = stage()
    refused.streams(() => Response.json({ error: { code: 'unauthenticated', message: 'no' } }, { status: 401 }))
    await expect(refused.channel.run()).rejects.toMatchObject({ status: 401, code: 'unauthenticated' })
  })
})

describe('what comes', () => {
  it('twice, by the stream and by polling, is handled once and acknowledged', async () => {
    const { clock, channel, streams, polled, asked, seen } = stage()
    polled(() =>
      Response.json({ interventions: [], messages: [message('a', 'one'), message('b', 'two')], next_cursor: null }),
    )
    const first = openStream()
    streams(first.answer)
    const done = channel.run()
    await clock.next()
    await clock.advance(2_000)
    first.push(frame(1, 'a', 'one'))
    await clock.next()
    const second = openStream()
    streams(second.answer)
    first.end()
    await clock.next()
    second.push(frame(2, 'b', 'two') + frame(null, 'c', 'three'))
    second.push(`data: {"event_id":"e","event_name":"work.offered","data":{}}\n\n`.repeat(2))
    await clock.next()
    expect(seen.handled).toEqual(['one', 'two', 'three', 'work.offered'])
    // What was handled before and comes again was not acknowledged: that is done again, and nothing else.
    const acks = asked.filter(({ path }) => path.endsWith('/ack')).map(({ path }) => path.split('/').at(-2))
    expect(new Set(acks)).toEqual(new Set(['a', 'b', 'c']))
    channel.close()
    await done
  })

  it('and cannot be handled is not acknowledged, and handled when it comes again', async () => {
    let tries = 0
    const { clock, channel, streams, asked, seen } = stage({
      message: () => {
        tries += 1
        if (tries === 1) throw new Error('busy')
      },
    })
    const stream = openStream()
    streams(stream.answer)
    const done = channel.run()
    await clock.next()
    stream.push(frame(1, 'a', 'one'))
    await clock.next()
    expect([tries, asked.some(({ path }) => path.endsWith('/ack')), seen.warnings.length]).toEqual([1, false, 1])
    stream.push(frame(null, 'a', 'one'))
    await clock.next()
    expect([tries, asked.filter(({ path }) => path.endsWith('/ack')).length]).toEqual([2, 1])
    channel.close()
    await done
  })
})
