import { namedFrame } from './log-frames.ts'

/** What one host or one agent uses at this moment. */
export interface Measured {
  /** Tells it from all others: `host local`, `agent default/sre`. */
  readonly key: string
  readonly value: object
}

export interface MetricsSource {
  readonly hosts: readonly Measured[]
  readonly agents: readonly Measured[]
}

type Reader = (frame: Buffer) => void

/**
 * What hosts and agents use, for pages that look on. It is no history and stands in no log: it is read every so often while
 * somebody looks, once for all of them. Who comes gets all of it, and from then on what has changed.
 */
export class MetricsFeed {
  readonly #read: () => Promise<MetricsSource>
  readonly #onError: (error: unknown) => void
  readonly #everyMs: number
  readonly #readers = new Set<Reader>()
  /** Who came since the last look. */
  readonly #fresh = new Set<Reader>()
  #known = new Map<string, string>()
  #timer: NodeJS.Timeout | null = null

  constructor(options: {
    readonly read: () => Promise<MetricsSource>
    readonly everyMs: number
    readonly onError: (error: unknown) => void
  }) {
    this.#read = options.read
    this.#everyMs = options.everyMs
    this.#onError = options.onError
  }

  /** Calls back with frames until what it returns is called. */
  subscribe(reader: Reader): () => void {
    this.#fresh.add(reader)
    this.#schedule(0)
    return () => {
      this.#readers.delete(reader)
      this.#fresh.delete(reader)
      if (this.#readers.size + this.#fresh.size > 0) return
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.#timer = null
      this.#known = new Map()
    }
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => {
      void this.#look().finally(() => {
        this.#timer = null
        if (this.#readers.size + this.#fresh.size > 0) this.#schedule(this.#everyMs)
      })
    }, ms).unref()
  }

  async #look(): Promise<void> {
    let now: MetricsSource
    try {
      now = await this.#read()
    } catch (error) {
      this.#onError(error)
      return
    }
    const before = this.#known
    this.#known = new Map([...now.hosts, ...now.agents].map(({ key, value }) => [key, JSON.stringify(value)]))
    const changed = ({ key }: Measured): boolean => before.get(key) !== this.#known.get(key)
    const gone = [...before.keys()].filter((key) => !this.#known.has(key))
    const [hosts, agents] = [now.hosts.filter(changed), now.agents.filter(changed)]
    if (this.#readers.size > 0 && hosts.length + agents.length + gone.length > 0)
      send(this.#readers, frameOf(hosts, agents, gone))
    if (this.#fresh.size === 0) return
    if (this.#known.size > 0) send(this.#fresh, frameOf(now.hosts, now.agents, []))
    for (const reader of this.#fresh) this.#readers.add(reader)
    this.#fresh.clear()
  }
}

function frameOf(hosts: readonly Measured[], agents: readonly Measured[], gone: readonly string[]): Buffer {
  const values = (all: readonly Measured[]): object[] => all.map(({ value }) => value)
  return Buffer.from(namedFrame('metrics', { hosts: values(hosts), agents: values(agents), gone }))
}

function send(readers: ReadonlySet<Reader>, frame: Buffer): void {
  for (const reader of readers) reader(frame)
}
