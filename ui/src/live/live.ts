import type { QueryClient } from '@tanstack/react-query'
import type { Event } from '../api/reads.ts'
import { followStream, type StreamState } from './stream.ts'
import { pathsChangedBy } from './topics.ts'

export interface LiveStatus {
  readonly state: StreamState
  /** When it was last live, in milliseconds since 1970; null = not yet. */
  readonly seenAt: number | null
}

type Told =
  | { readonly type: 'event'; readonly event: Event }
  | { readonly type: 'status'; readonly status: LiveStatus }
  | { readonly type: 'ask' }

const LOCK = 'stateward.live'
/** What happens together is heard together; and answers are read again at most so often, however much happens. */
const GATHER_MS = 150
const SHORTEST_MS = 1_000

/**
 * Keeps what the page shows as it is: one tab of the browser holds the stream and tells the others, since a browser opens
 * no more than six connections to a server. When that tab is closed, another one goes on. Events have what they changed
 * read again; whoever wants the events themselves listens.
 */
export class Live {
  readonly #client: QueryClient
  readonly #channel = new BroadcastChannel(LOCK)
  readonly #end = new AbortController()
  readonly #listeners = new Set<(event: Event) => void>()
  readonly #watchers = new Set<() => void>()
  readonly #changed = new Set<string>()
  #status: LiveStatus = { state: 'connecting', seenAt: null }
  #leads = false
  #cursor: string | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #flushed = 0

  constructor(client: QueryClient) {
    this.#client = client
    this.#channel.onmessage = ({ data }: MessageEvent<Told>) => this.#hear(data)
    this.#channel.postMessage({ type: 'ask' } satisfies Told)
    void this.#run()
  }

  get status(): LiveStatus {
    return this.#status
  }

  watchStatus(onChange: () => void): () => void {
    this.#watchers.add(onChange)
    return () => this.#watchers.delete(onChange)
  }

  listen(onEvent: (event: Event) => void): () => void {
    this.#listeners.add(onEvent)
    return () => this.#listeners.delete(onEvent)
  }

  close(): void {
    this.#end.abort()
    this.#channel.close()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    const { signal } = this.#end
    // Without locks (a page over plain HTTP from another machine) each tab has a stream of its own.
    if (navigator.locks === undefined) return this.#lead()
    try {
      await navigator.locks.request(LOCK, { signal }, () => this.#lead())
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #lead(): Promise<void> {
    this.#leads = true
    await followStream(
      this.#cursor,
      {
        onState: (state) => this.#tell({ type: 'status', status: this.#next(state) }),
        onMessage: ({ event, data }, cursor) => {
          this.#cursor = cursor
          if (event === 'message') this.#tell({ type: 'event', event: JSON.parse(data) as Event })
          else if (event === 'cursor.reset') void this.#client.invalidateQueries()
        },
      },
      this.#end.signal,
    )
  }

  #next(state: StreamState): LiveStatus {
    const wasLive = this.#status.state === 'live' || state === 'live'
    return { state, seenAt: wasLive ? Date.now() : this.#status.seenAt }
  }

  #tell(told: Told): void {
    this.#channel.postMessage(told)
    this.#hear(told)
  }

  #hear(told: Told): void {
    switch (told.type) {
      case 'ask':
        if (this.#leads) this.#channel.postMessage({ type: 'status', status: this.#status } satisfies Told)
        return
      case 'status': {
        const opened = told.status.state === 'live' && this.#status.state !== 'live'
        this.#status = told.status
        // What was read before the stream was open may have changed unseen.
        if (opened) void this.#client.invalidateQueries()
        for (const watcher of this.#watchers) watcher()
        return
      }
      case 'event':
        this.#cursor = String(told.event.seq)
        for (const listener of this.#listeners) listener(told.event)
        for (const path of pathsChangedBy(told.event.event_name)) this.#changed.add(path)
        this.#timer ??= setTimeout(() => this.#flush(), Math.max(GATHER_MS, this.#flushed + SHORTEST_MS - Date.now()))
        return
    }
  }

  #flush(): void {
    this.#timer = null
    this.#flushed = Date.now()
    const paths = [...this.#changed]
    this.#changed.clear()
    if (paths.length === 0) return
    void this.#client.invalidateQueries({
      predicate: ({ queryKey: [path] }) => typeof path === 'string' && paths.some((each) => path.startsWith(each)),
    })
  }
}
