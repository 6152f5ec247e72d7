import { type Clock, systemClock } from './clock.ts'
import { EventSourceParser, type StreamMessage } from './event-source.ts'
import { POLL_MS, POLLING_AFTER, SHORTEST_MS, SILENCE_MS, waitBefore } from './reconnection.ts'
import { type Connection, refusal, request, StatewardRequestError, send } from './request.ts'
import { Seen } from './seen.ts'
import type { BusEvent, Intervention, Message, Poll } from './types.ts'

/** `connecting`: an attempt is under way or waits; `polling`: five attempts failed, messages come by polling. */
export type ChannelState = 'connecting' | 'streaming' | 'polling' | 'closed'

export interface ChannelHandlers {
  /** A message; when this resolves it is acknowledged, when it throws it comes again. */
  readonly message?: (message: Message) => void | Promise<void>
  /** May come more than once, until it is acknowledged. */
  readonly intervention?: (intervention: Intervention) => void | Promise<void>
  /** Every other event that concerns the agent, once. */
  readonly event?: (event: BusEvent) => void | Promise<void>
  readonly state?: (state: ChannelState) => void
  readonly warn?: (message: string, error?: unknown) => void
}

export interface ChannelOptions {
  /** Name, `agentId` or uid of the agent. */
  readonly agent: string
  /** The number of the log to go on behind; default: from now on. */
  readonly cursor?: number
  /** Where streams are served, if elsewhere than the API. */
  readonly streamsUrl?: string
  readonly clock?: Clock
}

/** Messages that wait for their handler while more is read; beyond, nothing is read from the socket. */
const MOST_WAITING = 100

/**
 * What concerns an agent, as it happens, for as long as the process lives:
 * - A connection that is lost is made again: at once, then after 1, 2, 4 … 30 seconds, from where it was (`Last-Event-ID`).
 * - While it is away, messages are polled. After five attempts that failed a warning is given, and both go on.
 * - A connection on which nothing comes for 60 seconds, not even a keepalive, is dead.
 * - What comes twice is handled once, by the id of its event. What a handler threw at comes again.
 * - When a newer connection of the same instance takes the place, this one ends and does not come back.
 */
export class AgentChannel {
  readonly #connection: Connection
  readonly #options: ChannelOptions
  readonly #handlers: ChannelHandlers
  readonly #clock: Clock
  readonly #seen = new Seen()
  readonly #stop = new AbortController()
  readonly #id = crypto.randomUUID()
  #cursor: string
  #state: ChannelState | null = null
  #waiting = 0
  #handling: Promise<void> = Promise.resolve()

  constructor(connection: Connection, options: ChannelOptions, handlers: ChannelHandlers) {
    this.#connection = connection
    this.#options = options
    this.#handlers = handlers
    this.#clock = options.clock ?? systemClock
    this.#cursor = options.cursor === undefined ? '' : String(options.cursor)
  }

  /** The number of the log behind which the channel goes on. */
  get cursor(): string {
    return this.#cursor
  }

  /**
   * Works until `close()` or until a newer connection takes the place; what is being handled is finished first. Throws when
   * the server refuses the token, or knows no such agent.
   */
  async run(): Promise<'closed' | 'superseded'> {
    const { signal } = this.#stop
    let failures = 0
    let isFirst = true
    try {
      while (!signal.aborted) {
        if (!isFirst) await this.#away(failures)
        isFirst = false
        if (signal.aborted) break
        const since = this.#clock.now()
        try {
          if (failures < POLLING_AFTER) this.#enter('connecting')
          if ((await this.#stream()) === 'superseded') return 'superseded'
          failures = this.#clock.now() - since < SHORTEST_MS ? failures + 1 : 0
        } catch (error) {
          if (signal.aborted) break
          if (error instanceof StatewardRequestError && !error.isTransient) throw error
          // A stream that was open for a while begins anew, at once.
          failures = this.#state === 'streaming' && this.#clock.now() - since >= SHORTEST_MS ? 0 : failures + 1
        }
        if (failures === POLLING_AFTER) {
          this.#enter('polling')
          this.#handlers.warn?.(`the stream of ${this.#options.agent} could not be opened ${failures} times; polling`)
        }
      }
      return 'closed'
    } finally {
      await this.#handling
      this.#enter('closed')
    }
  }

  close(): void {
    this.#stop.abort()
  }

  /** The time without a stream: messages are polled at its beginning, and again until the next attempt is due. */
  async #away(failures: number): Promise<void> {
    const { signal } = this.#stop
    await this.#poll()
    for (let left = waitBefore(failures); left > 0 && !signal.aborted; left -= POLL_MS) {
      await this.#clock.sleep(Math.min(left, POLL_MS), signal)
      if (left > POLL_MS && !signal.aborted) await this.#poll()
    }
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop
    try {
      for (let cursor: string | null = ''; cursor !== null && !signal.aborted; ) {
        const query: string = cursor === '' ? '' : `?cursor=${cursor}`
        const page = (await request(this.#connection, 'GET', `/api/v1/messages/poll${query}`, { signal })) as Poll
        for (const intervention of page.interventions) this.#later(() => this.#handlers.intervention?.(intervention))
        for (const message of page.messages) this.#message(message)
        await this.#handling
        cursor = page.next_cursor
      }
    } catch {
      // The server is away: the next attempt to come back says so.
    }
  }

  /** Resolves or throws when the stream is over. */
  async #stream(): Promise<'ended' | 'superseded'> {
    const over = new AbortController()
    const stop = (): void => over.abort()
    this.#stop.signal.addEventListener('abort', stop, { once: true })
    let heardAt = this.#clock.now()
    const watch = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await this.#clock.sleep(SILENCE_MS - (this.#clock.now() - heardAt), over.signal)
        if (this.#clock.now() - heardAt >= SILENCE_MS) over.abort()
      }
    }
    const watching = watch()
    try {
      const response = await this.#open(over.signal)
      if (response.status === 204) return 'superseded'
      if (!response.ok) throw await refusal(response)
      const parser = new EventSourceParser()
      const decoder = new TextDecoder()
      const reader = response.body!.getReader()
      over.signal.addEventListener('abort', () => void reader.cancel().catch(() => {}), { once: true })
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return 'ended'
        heardAt = this.#clock.now()
        this.#enter('streaming')
        for (const message of parser.push(decoder.decode(value, { stream: true })))
          if (this.#take(message)) return 'superseded'
        if (parser.lastEventId !== '') this.#cursor = parser.lastEventId
        if (this.#waiting > MOST_WAITING) await this.#handling
      }
    } finally {
      this.#stop.signal.removeEventListener('abort', stop)
      over.abort()
      await watching
    }
  }

  #open(signal: AbortSignal): Promise<Response> {
    const { url, token, fetch } = this.#connection
    const { agent, streamsUrl = url } = this.#options
    return send(fetch, `${streamsUrl}/events/${encodeURIComponent(agent)}?connection=${this.#id}`, {
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        ...(this.#cursor === '' ? {} : { 'last-event-id': this.#cursor }),
      },
      signal,
    })
  }

  /** True: another connection has taken the place. */
  #take({ event, data }: StreamMessage): boolean {
    if (event === 'superseded') return true
    const value = JSON.parse(data) as BusEvent & Intervention & { cursor?: number }
    if (event === 'cursor.reset') this.#cursor = String(value.cursor)
    else if (event === 'intervention') this.#later(() => this.#handlers.intervention?.(value))
    else if (event === 'message' && value.message !== undefined) this.#message(value.message)
    else if (event === 'message') this.#event(value)
    return false
  }

  #event(event: BusEvent): void {
    if (this.#seen.of(event.event_id) !== null) return
    this.#seen.set(event.event_id, 'done')
    this.#later(() => this.#handlers.event?.(event))
  }

  #message(message: Message): void {
    const { message_id: id } = message
    const standing = this.#seen.of(id)
    if (standing === 'working') return
    const { message: handle } = this.#handlers
    // Without a handler it stays where it is, for whoever takes it.
    if (handle === undefined) return
    this.#seen.set(id, 'working')
    this.#later(async () => {
      try {
        // It was handled before, and only the acknowledgement got lost.
        if (standing === null) await handle(message)
      } catch (error) {
        this.#seen.forget(id)
        throw error
      }
      this.#seen.set(id, 'done')
      await request(this.#connection, 'POST', `/api/v1/messages/${id}/ack`)
    })
  }

  /** One at a time, in the order they came. */
  #later(work: () => unknown): void {
    this.#waiting += 1
    this.#handling = this.#handling
      .then(work)
      .catch((error: unknown) => {
        this.#handlers.warn?.('something that came could not be handled; it comes again', error)
      })
      .then(() => {
        this.#waiting -= 1
      })
  }

  #enter(state: ChannelState): void {
    if (state === this.#state) return
    this.#state = state
    this.#handlers.state?.(state)
  }
}
