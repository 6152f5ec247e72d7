import type { KindDefinition } from '../../kinds/definition.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import type { LogTail } from '../streams/log-tail.ts'

/** Of one session. */
const MOST = 100

/** What is told of all of an area. */
const AREAS: Readonly<Record<string, string | undefined>> = {
  proposals: 'stateward.proposal.',
  work: 'stateward.work.',
  artifacts: 'stateward.artifact.',
}

/** Whether what a URI names may be another one after an event. Rather once too often than not at all. Pure. */
export function isTouched(uri: string, event: LoggedEvent, kinds: readonly KindDefinition[]): boolean {
  const [area, first, second, third] = uri.slice('stateward://'.length).split('/').map(decodeURIComponent)
  const { resource, data, run_id, event_name } = event
  if (area === 'events') return true
  if (area === 'runs') return run_id !== null && (first === undefined || first === run_id || !isId(first))
  const prefix = AREAS[area ?? '']
  if (prefix !== undefined) return event_name.startsWith(prefix)
  const kind = kinds.find(({ plural }) => plural === first)
  if (area !== 'objects' || kind === undefined || resource?.type !== kind.kind) return false
  const [namespace, name] = third === undefined ? [undefined, second] : [second, third]
  const isOther = (said: unknown, asked: string | undefined): boolean =>
    asked !== undefined && typeof said === 'string' && said !== asked
  return !isOther(data['name'], name) && !isOther(data['namespace'], namespace)
}

const isId = (text: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(text)

interface Subscriber {
  readonly uris: Set<string>
  readonly tell: (uri: string) => void
}

/** Tells sessions that something they asked for changed, as the log grows. It is read while anybody wants to know. */
export class McpSubscriptions {
  readonly #tail: Pick<LogTail, 'next' | 'newest'>
  readonly #kinds: readonly KindDefinition[]
  readonly #stopping: AbortSignal
  readonly #onError: (error: unknown) => void
  readonly #subscribers = new Set<Subscriber>()
  #idle: AbortController | null = null

  constructor(parts: {
    readonly tail: Pick<LogTail, 'next' | 'newest'>
    readonly kinds: readonly KindDefinition[]
    readonly stopping: AbortSignal
    readonly onError: (error: unknown) => void
  }) {
    this.#tail = parts.tail
    this.#kinds = parts.kinds
    this.#stopping = parts.stopping
    this.#onError = parts.onError
  }

  /** For one session. `tell` is called with each URI that may have changed, once for all that happened at once. */
  open(tell: (uri: string) => void) {
    const subscriber: Subscriber = { uris: new Set(), tell }
    return {
      /** False: there are too many. */
      add: (uri: string): boolean => {
        if (subscriber.uris.size >= MOST && !subscriber.uris.has(uri)) return false
        subscriber.uris.add(uri)
        this.#subscribers.add(subscriber)
        this.#start()
        return true
      },
      remove: (uri: string): void => {
        subscriber.uris.delete(uri)
        if (subscriber.uris.size === 0) this.#remove(subscriber)
      },
      close: (): void => this.#remove(subscriber),
    }
  }

  #remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber)
    if (this.#subscribers.size > 0) return
    this.#idle?.abort()
    this.#idle = null
  }

  #start(): void {
    if (this.#idle !== null) return
    const idle = new AbortController()
    this.#idle = idle
    this.#follow(AbortSignal.any([idle.signal, this.#stopping])).catch((error: unknown) => {
      this.#onError(error)
      if (this.#idle !== idle) return
      this.#idle = null
      // Whoever subscribes next has it read again; whoever did before, too.
      if (this.#subscribers.size > 0) setTimeout(() => this.#subscribers.size > 0 && this.#start(), 1_000).unref()
    })
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let cursor = await this.#tail.newest()
    while (!signal.aborted) {
      const events = await this.#tail.next(cursor, signal)
      if (events.length === 0) return
      cursor = events.at(-1)!.event.seq
      for (const { uris, tell } of this.#subscribers)
        for (const uri of uris) if (events.some(({ event }) => isTouched(uri, event, this.#kinds))) tell(uri)
    }
  }
}
