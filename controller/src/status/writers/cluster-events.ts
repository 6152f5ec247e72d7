import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '../../kube-client/kube-client.ts'
import { KubeError } from '../../kube-client/kube-error.ts'
import { type Backoff, backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { FIELD_MANAGER } from './cluster-status-writer.ts'

/** Something that happened to a custom resource, for `kubectl describe` and `kubectl events`. */
export interface ClusterEvent {
  readonly regarding: {
    readonly apiVersion: string
    readonly kind: string
    /** '' for kinds without a namespace: their events stand in `default`. */
    readonly namespace: string
    readonly name: string
    readonly uid: string
  }
  readonly type: 'Normal' | 'Warning'
  /** One word, as in conditions. */
  readonly reason: string
  readonly note: string
}

export interface ClusterEventsOptions {
  readonly client: KubeClient
  readonly clock: Clock
  /** The process, for people. */
  readonly instance: string
  readonly log: { warn(fields: object, message: string): void }
}

/** The same again within this time counts one on the event that is there. */
const SERIES_MS = 600_000
/** What is said while the server is away is little use later: beyond this the oldest is dropped. */
const MAX_WAITING = 500
const MAX_KNOWN = 5_000
const MAX_NOTE = 1024
const ATTEMPTS = 3
const AGAIN: Backoff = { firstMs: 1_000, factor: 5, maxMs: 30_000, jitter: 0 }

/**
 * Writes Events (events.k8s.io/v1), one after the other. What is said again within ten minutes counts on the event that is there. Events are
 * for people who look: they are never waited for, and given up after three attempts; the log has everything.
 */
export class ClusterEvents {
  readonly #options: ClusterEventsOptions
  readonly #known = new Map<string, { readonly name: string; count: number; lastMs: number }>()
  #waiting: ClusterEvent[] = []
  #running: Promise<void> | null = null
  readonly #closing = new AbortController()

  constructor(options: ClusterEventsOptions) {
    this.#options = options
  }

  record(event: ClusterEvent): void {
    if (this.#closing.signal.aborted) return
    this.#waiting.push(event)
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  /** Nothing more is written; resolves when what is under way is over. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#waiting = []
    await this.#running
  }

  async #run(): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) await this.#write(event)
  }

  async #write(event: ClusterEvent): Promise<void> {
    const { signal } = this.#closing
    for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
      try {
        return await this.#send(event)
      } catch (error) {
        if (attempt < ATTEMPTS && error instanceof KubeError && error.isRetryable) {
          const pause = Math.max(error.retryAfterMs ?? 0, backoffMs(AGAIN, attempt, 0))
          await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
          continue
        }
        // A namespace that is being deleted takes nothing more, and nobody would read it there.
        if (error instanceof KubeError && error.isOfEndingNamespace) return
        this.#options.log.warn({ reason: event.reason, err: error }, 'an event could not be written to the cluster')
        return
      }
    }
  }

  async #send(event: ClusterEvent): Promise<void> {
    const { clock } = this.#options
    const { regarding, type, reason } = event
    const now = clock.now()
    const note = event.note.length > MAX_NOTE ? `${event.note.slice(0, MAX_NOTE - 1)}…` : event.note
    const key = [regarding.uid, type, reason, note].join('\n')
    const known = this.#known.get(key)
    if (known !== undefined && now.getTime() - known.lastMs < SERIES_MS) {
      known.count++
      known.lastMs = now.getTime()
      if (await this.#count(regarding.namespace, known, now)) return
    }
    const name = `${regarding.name.slice(0, 200)}.${hash('sha256', `${key}\n${now.toISOString()}`, 'hex').slice(0, 16)}`
    await this.#options.client.request({
      method: 'POST',
      path: listPath(regarding.namespace),
      query: { fieldManager: FIELD_MANAGER },
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name, namespace: placeOf(regarding.namespace) },
        eventTime: microTime(now),
        reportingController: 'stateward.dev/controller',
        reportingInstance: this.#options.instance.slice(0, 128),
        ...{ action: reason, reason, type, note },
        regarding: {
          ...{ apiVersion: regarding.apiVersion, kind: regarding.kind, name: regarding.name, uid: regarding.uid },
          ...(regarding.namespace === '' ? {} : { namespace: regarding.namespace }),
        },
      },
    })
    this.#remember(key, { name, count: 1, lastMs: now.getTime() })
  }

  /** False when the event is not there any more: the server keeps them for an hour. */
  async #count(namespace: string, { name, count }: { name: string; count: number }, now: Date): Promise<boolean> {
    try {
      await this.#options.client.request({
        method: 'PATCH',
        path: `${listPath(namespace)}/${name}`,
        contentType: 'application/merge-patch+json',
        query: { fieldManager: FIELD_MANAGER },
        body: { series: { count, lastObservedTime: microTime(now) } },
      })
      return true
    } catch (error) {
      if (error instanceof KubeError && error.failure === 'notFound') return false
      throw error
    }
  }

  #remember(key: string, known: { readonly name: string; count: number; lastMs: number }): void {
    this.#known.delete(key)
    this.#known.set(key, known)
    const oldest = this.#known.keys().next().value
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }
}

function placeOf(namespace: string): string {
  return namespace === '' ? 'default' : namespace
}

function listPath(namespace: string): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(placeOf(namespace))}/events`
}

/** Six digits, as Kubernetes writes them. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z')
}
