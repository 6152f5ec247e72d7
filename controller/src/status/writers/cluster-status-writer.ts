import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { API_VERSION } from '../../kinds/definition.ts'
import { kindOf } from '../../kinds/registry.ts'
import { type ObjectKey, refOf } from '../../kinds/resource.ts'
import { KubeError } from '../../kube-client/kube-error.ts'
import type { KubeObject } from '../../kube-client/watch-lines.ts'
import { type Backoff, backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { digestOf } from '../../lib/digest.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { type ClusterMirror, resourcePath } from '../../source/cluster/cluster-mirror.ts'

/** Who writes, as the API server keeps it with each field. */
export const FIELD_MANAGER = 'stateward'
const FINALIZER = 'stateward.dev/finalizer'

/** Requests under way at once. */
const AT_ONCE = 8
/** One resource is not written more often. */
const PACE_MS = 1_000
const RETRY: Backoff = { firstMs: 250, factor: 2, maxMs: 60_000, jitter: 0.5 }
const COMPLAIN_AFTER = 5
const RESYNC_MS = 300_000
const YIELD_EVERY = 100
/** Of what is due when the process ends; whoever leads next writes the rest. */
const CLOSE_MS = 5_000

/** What a custom resource should say, and whether it may go. */
export interface WantedResource {
  /** Null = nothing is to be said yet: what it says stays. */
  readonly status: JsonObject | null
  /** It has to stay visible until what it stands for has ended. */
  readonly isHeld: boolean
}

export interface ClusterStatusWriterOptions {
  readonly mirror: ClusterMirror
  readonly clock: Clock
  readonly random: () => number
  /** From the deletion of a resource to the moment it goes in any case. */
  readonly deadlineMs: number
  readonly wanted: (key: ObjectKey, object: KubeObject) => WantedResource
  /** A resource went although what it stands for had not ended. */
  readonly overdue: (key: ObjectKey, object: KubeObject) => void
  /** The problem is another than before. */
  readonly changed: () => void
  /** Only who leads writes; asked before each request. */
  readonly mayWrite: () => boolean
  readonly log: { warn(fields: object, message: string): void }
}

interface Failing {
  readonly count: number
  /** Whatever touches it, it is not tried before: monotonic milliseconds. */
  readonly notBeforeMs: number
}

interface Written {
  readonly uid: string
  readonly wanted: string
  /** What the server made of it: it may drop what its schema does not have. */
  readonly result: string
}

/**
 * Writes back to custom resources: their status by server-side apply, only when it differs, each at most once a second; and the finalizer that
 * keeps a resource until what it stands for has ended, or the deadline is over. Level-triggered: a touch says where to look, and everything is
 * looked at again from time to time. What fails is tried again with growing pauses; what the server refuses for good is not, until it changes;
 * and nothing is tried while it is known to be away.
 */
export class ClusterStatusWriter {
  readonly #options: ClusterStatusWriterOptions
  readonly #due = new Set<ObjectKey>()
  readonly #working = new Set<ObjectKey>()
  readonly #written = new Map<ObjectKey, Written>()
  readonly #refused = new Map<ObjectKey, string>()
  readonly #lastMs = new Map<ObjectKey, number>()
  readonly #timers = new Map<ObjectKey, NodeJS.Timeout>()
  readonly #failures = new Map<ObjectKey, Failing>()
  #looked = 0
  #problem: string | null = null
  #unsubscribe = (): void => {}
  #resync: NodeJS.Timeout | null = null
  #closed = false
  #idle: (() => void)[] = []

  constructor(options: ClusterStatusWriterOptions) {
    this.#options = options
  }

  /** What keeps status from being written; null when nothing does. */
  get problem(): string | null {
    return this.#problem
  }

  start(): void {
    this.#unsubscribe = this.#options.mirror.subscribe((key, kind) =>
      this.touch(key === null ? this.#all(kind) : [key]),
    )
    this.#resync = setInterval(() => this.touch(this.#all()), RESYNC_MS)
    this.#resync.unref()
    this.touch(this.#all())
  }

  touch(keys: Iterable<ObjectKey>): void {
    if (this.#closed) return
    for (const key of keys) this.#due.add(key)
    this.#next()
  }

  /** Writes what is due, as far as it comes in a few seconds, and ends. */
  async close(): Promise<void> {
    this.#unsubscribe()
    if (this.#resync !== null) clearInterval(this.#resync)
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#closed = true
    this.#next()
    if (this.#working.size === 0) return
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve))
    await Promise.race([idle, sleep(CLOSE_MS, undefined, { ref: false })])
    this.#due.clear()
  }

  #all(of?: string): ObjectKey[] {
    const all = [...this.#options.mirror.objects()]
    return all.filter(({ kind }) => of === undefined || kind.kind === of).map(({ key }) => key)
  }

  #next(): void {
    for (const key of this.#due) {
      if (this.#working.size >= AT_ONCE) return
      if (this.#working.has(key)) continue
      this.#due.delete(key)
      this.#working.add(key)
      void this.#look(key).finally(() => {
        this.#working.delete(key)
        this.#next()
        if (this.#working.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
      })
    }
  }

  async #look(key: ObjectKey): Promise<void> {
    const { mirror, wanted, mayWrite } = this.#options
    // Where nothing is to be written nothing is waited for: whatever else this process does goes on in between.
    if (++this.#looked % YIELD_EVERY === 0) await setImmediate()
    const object = mirror.get(key)
    if (object === undefined) return this.#forget(key)
    if (this.#hasToWait(key)) return
    try {
      if (!mayWrite()) return
      const want = wanted(key, object)
      if (object.metadata.deletionTimestamp !== undefined && !(await this.#holdOn(key, object, want))) return
      if (object.metadata.deletionTimestamp === undefined && want.isHeld) await this.#hold(key, object)
      if (want.status !== null && (await this.#write(key, object, want.status)) === 'paced') return
      this.#failures.delete(key)
      this.#fine()
    } catch (error) {
      this.#failed(key, error)
    }
  }

  /** The server is away (its return touches everything), or what failed is tried later. */
  #hasToWait(key: ObjectKey): boolean {
    const { mirror, clock } = this.#options
    if (mirror.isAway(refOf(key).kind)) return true
    const left = (this.#failures.get(key)?.notBeforeMs ?? 0) - clock.monotonicMs()
    if (left <= 0 || this.#closed) return false
    if (!this.#timers.has(key)) this.#later(key, left)
    return true
  }

  /** Of a resource that is being deleted; false = it goes. */
  async #holdOn(key: ObjectKey, object: KubeObject, want: WantedResource): Promise<boolean> {
    const { clock, deadlineMs, overdue } = this.#options
    if (!isHeldByUs(object)) return false
    const left = Date.parse(object.metadata.deletionTimestamp!) + deadlineMs - clock.now().getTime()
    if (want.isHeld && left > 0) {
      this.#later(key, left)
      return true
    }
    await this.#setFinalizers(
      key,
      object,
      (object.metadata.finalizers ?? []).filter((one) => one !== FINALIZER),
    )
    if (want.isHeld) overdue(key, object)
    return false
  }

  async #hold(key: ObjectKey, object: KubeObject): Promise<void> {
    if (isHeldByUs(object)) return
    await this.#setFinalizers(key, object, [...(object.metadata.finalizers ?? []), FINALIZER])
  }

  /** Only if nobody has written since: others have finalizers, too. */
  async #setFinalizers(key: ObjectKey, object: KubeObject, finalizers: readonly string[]): Promise<void> {
    const { uid, resourceVersion } = object.metadata
    await this.#patch(key, object, '', {
      contentType: 'application/merge-patch+json',
      body: { metadata: { uid, resourceVersion, finalizers: [...finalizers] } },
    })
  }

  async #write(key: ObjectKey, object: KubeObject, status: JsonObject): Promise<'done' | 'paced'> {
    const { clock } = this.#options
    const wanted = digestOf(status)
    const there = digestOf((object['status'] ?? null) as Json)
    if (there === wanted || this.#refused.get(key) === wanted) return 'done'
    const written = this.#written.get(key)
    if (written?.uid === object.metadata.uid && written.wanted === wanted && written.result === there) return 'done'
    const wait = (this.#lastMs.get(key) ?? Number.NEGATIVE_INFINITY) + PACE_MS - clock.monotonicMs()
    if (wait > 0 && !this.#closed) {
      this.#later(key, wait)
      return 'paced'
    }
    this.#lastMs.set(key, clock.monotonicMs())
    const { kind, namespace, name } = refOf(key)
    const { uid, resourceVersion } = object.metadata
    // The version tells it from another of its name: the server does not look at the uid of what is written to a status.
    const metadata = { name, ...(namespace === '' ? {} : { namespace }), resourceVersion }
    try {
      const answer = (await this.#patch(key, object, '/status', {
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion: API_VERSION, kind, metadata, status },
      })) as KubeObject
      this.#refused.delete(key)
      this.#written.set(key, { uid, wanted, result: digestOf((answer['status'] ?? null) as Json) })
    } catch (error) {
      if (!(error instanceof KubeError) || error.failure !== 'invalid') throw error
      this.#refused.set(key, wanted)
      this.#options.log.warn({ key, err: error }, 'the status of a custom resource was refused; it stays as it was')
      this.#setProblem(error.message)
    }
    return 'done'
  }

  async #patch(
    key: ObjectKey,
    object: KubeObject,
    part: '' | '/status',
    given: {
      readonly contentType: 'application/merge-patch+json' | 'application/apply-patch+yaml'
      readonly body: JsonObject
    },
  ): Promise<unknown> {
    const kind = kindOf(refOf(key).kind)!
    return await this.#options.mirror.client.request({
      ...{ method: 'PATCH', path: `${resourcePath(kind, object)}${part}` },
      ...given,
      query: {
        fieldManager: FIELD_MANAGER,
        ...(given.contentType === 'application/apply-patch+yaml' ? { force: true } : {}),
      },
    })
  }

  #failed(key: ObjectKey, thrown: unknown): void {
    const { log, random, clock } = this.#options
    const error = thrown instanceof KubeError ? thrown : new KubeError({ status: 0 }, String(thrown), { cause: thrown })
    // Gone, or another by now: the watch tells.
    if (error.failure === 'notFound') return
    const failures = (this.#failures.get(key)?.count ?? 0) + 1
    const pause = Math.max(error.retryAfterMs ?? 0, backoffMs(RETRY, failures, random()))
    // Another version than was looked at: as soon as the watch brings it.
    const notBeforeMs = error.failure === 'conflict' ? 0 : clock.monotonicMs() + pause
    this.#failures.set(key, { count: failures, notBeforeMs })
    if (failures === 1 && error.failure !== 'conflict')
      log.warn({ key, err: error }, 'a custom resource could not be written; it is tried again')
    if (failures >= COMPLAIN_AFTER) this.#setProblem(error.message)
    this.#later(key, pause)
  }

  #later(key: ObjectKey, ms: number): void {
    if (this.#closed) return
    const before = this.#timers.get(key)
    if (before !== undefined) clearTimeout(before)
    const timer = setTimeout(() => {
      this.#timers.delete(key)
      this.touch([key])
    }, ms)
    timer.unref()
    this.#timers.set(key, timer)
  }

  #forget(key: ObjectKey): void {
    for (const map of [this.#written, this.#refused, this.#lastMs, this.#failures]) map.delete(key)
    const timer = this.#timers.get(key)
    if (timer !== undefined) clearTimeout(timer)
    this.#timers.delete(key)
    this.#fine()
  }

  #fine(): void {
    if (this.#failures.size === 0 && this.#refused.size === 0) this.#setProblem(null)
  }

  #setProblem(problem: string | null): void {
    if (this.#problem === problem) return
    this.#problem = problem
    this.#options.changed()
  }
}

function isHeldByUs({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(FINALIZER) === true
}
