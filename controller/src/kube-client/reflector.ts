import { setTimeout as sleep } from 'node:timers/promises'
import { type Backoff, backoffMs } from '../lib/backoff.ts'
import { isObject } from '../lib/json.ts'
import type { KubeClient } from './kube-client.ts'
import { KubeError } from './kube-error.ts'
import { type KubeObject, watchEvents } from './watch-lines.ts'

const PAGE = 500
const LIST_TIMEOUT_MS = 60_000
/** How long a watch may last; the server ends it then, and whatever was lost on the way is noticed. */
const WATCH_SECONDS = { min: 240, max: 480 }
/** A server that has not ended a watch by then is not there any more. */
const OVERDUE_MS = 15_000
/** A watch that ends sooner counts as one that failed: a server that ends each at once is not asked again at once. */
const SHORT_WATCH_MS = 1_000
const BACKOFF: Backoff = { firstMs: 250, factor: 2, maxMs: 30_000, jitter: 0.5 }

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient
  /** Of the list: `/apis/stateward.dev/v1alpha1/agents`, `/api/v1/namespaces/x/pods`. */
  readonly path: string
  readonly query?: Readonly<Record<'labelSelector' | 'fieldSelector', string | undefined>>
  /** Something is another than before, or the problem is; before the first list nothing is said but problems. */
  readonly onChange: (change: { readonly object: T | null }) => void
  readonly monotonicMs: () => number
  readonly random: () => number
}

/** By `namespace/name`; cluster-scoped: `/name`. */
export type Reflected<T> = ReadonlyMap<string, T>

/**
 * Keeps a copy of a list of an API server: list, then watch from its version, with bookmarks; list again only when the server
 * does not know the version any more (410). While the server is away the copy stays as it was, and {@link problem} tells.
 */
export class Reflector<T extends KubeObject = KubeObject> {
  readonly #options: ReflectorOptions<T>
  readonly #stopping = new AbortController()
  #objects: Map<string, T> | null = null
  #version: string | null = null
  #problem: KubeError | null = null
  #failures = 0
  #hasExpired = false
  #running: Promise<void> | null = null

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
  }

  /** Null until it was listed once. */
  get objects(): Reflected<T> | null {
    return this.#objects
  }

  /** Why it may not be what the server has now; null while it is being told. */
  get problem(): KubeError | null {
    return this.#problem
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const since = this.#options.monotonicMs()
      try {
        if (this.#version === null) await this.#list()
        await this.#watch()
        if (this.#options.monotonicMs() - since >= SHORT_WATCH_MS) {
          this.#hasNews()
          continue
        }
        this.#failures++
      } catch (error) {
        if (signal.aborted) return
        if (this.#failed(error) === 'again') continue
      }
      await this.#pause()
    }
  }

  #failed(thrown: unknown): 'again' | 'later' {
    const error = thrown instanceof KubeError ? thrown : new KubeError({ status: 0 }, String(thrown), { cause: thrown })
    // Only what says nothing of the version leaves it: everything else is looked up anew.
    if (!['unreachable', 'busy'].includes(error.failure)) this.#version = null
    // The server is there, the version is too old: at once. A list that is too old again at once is a failure.
    if (error.failure === 'expired' && !this.#hasExpired) {
      this.#hasExpired = true
      return 'again'
    }
    this.#failures++
    const before = this.#problem
    this.#problem = error
    if (before?.message !== error.message) this.#options.onChange({ object: null })
    return 'later'
  }

  #hasNews(): void {
    this.#failures = 0
    this.#hasExpired = false
  }

  async #pause(): Promise<void> {
    const asked = this.#problem?.retryAfterMs ?? 0
    const pause = Math.max(asked, backoffMs(BACKOFF, this.#failures, this.#options.random()))
    await sleep(pause, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {})
  }

  /** All pages, then one change: half a list is never shown. */
  async #list(): Promise<void> {
    const { client, path, query } = this.#options
    const found = new Map<string, T>()
    let next: string | undefined
    do {
      const answer = await client.request({
        path,
        query: { ...query, limit: PAGE, continue: next },
        timeoutMs: LIST_TIMEOUT_MS,
        signal: this.#stopping.signal,
      })
      const { items, metadata } = isObject(answer) ? answer : {}
      if (!Array.isArray(items) || !isObject(metadata))
        throw new KubeError({ status: 0 }, `${path} did not answer with a list`)
      for (const item of items as T[]) found.set(placeOf(item), item)
      next = typeof metadata['continue'] === 'string' && metadata['continue'] !== '' ? metadata['continue'] : undefined
      this.#version = next === undefined ? String(metadata['resourceVersion'] ?? '') : null
    } while (next !== undefined)
    this.#objects = found
    this.#problem = null
    this.#options.onChange({ object: null })
  }

  async #watch(): Promise<void> {
    const { client, path, query, random } = this.#options
    const timeoutSeconds = Math.round(WATCH_SECONDS.min + random() * (WATCH_SECONDS.max - WATCH_SECONDS.min))
    const overdue = AbortSignal.timeout(timeoutSeconds * 1000 + OVERDUE_MS)
    const body = await client.stream({
      path,
      query: { ...query, watch: true, allowWatchBookmarks: true, resourceVersion: this.#version!, timeoutSeconds },
      signal: AbortSignal.any([this.#stopping.signal, overdue]),
    })
    const wasAway = this.#problem !== null
    this.#problem = null
    if (wasAway) this.#options.onChange({ object: null })
    try {
      for await (const { type, object } of watchEvents(body)) {
        this.#version = object.metadata.resourceVersion
        this.#hasNews()
        if (type === 'BOOKMARK') continue
        if (type === 'DELETED') this.#objects!.delete(placeOf(object))
        else this.#objects!.set(placeOf(object), object as T)
        this.#options.onChange({ object: object as T })
      }
    } catch (error) {
      if (error instanceof KubeError) throw error
      throw new KubeError({ status: 0 }, `the watch of ${path} broke off`, { cause: error })
    } finally {
      body.destroy()
    }
  }
}

function placeOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}
