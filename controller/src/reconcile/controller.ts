import type { HealthSubject } from '../expressions/health.ts'
import { keyOf, type ObjectKey, refOf } from '../kinds/resource.ts'
import type { Source } from '../source/ports.ts'
import { readyOf } from '../status/summarize.ts'
import type { Log } from '../store/ports.ts'
import { loadOverrides } from '../store/queries/overrides.ts'
import type { Store } from '../store/store.ts'
import type { DriftKeeper } from './drift/keeper.ts'
import { endOverrides } from './end-overrides.ts'
import { reconcileObject } from './runtime/reconcile-object.ts'
import type { KindReconciler } from './runtime/reconciler.ts'
import { StatusWriter } from './runtime/status-writer.ts'
import { type QueueObserver, WorkQueue } from './runtime/work-queue.ts'
import type { Accepted } from './sync/accept.ts'
import type { SourceSync } from './sync/source-sync.ts'
import type { World } from './world.ts'
import { loadWorld } from './world-follower.ts'

export interface ControllerOptions {
  readonly store: Store
  readonly world: World
  readonly source: Source
  readonly sync: SourceSync
  readonly reconcilers: readonly KindReconciler[]
  readonly drift: DriftKeeper
  readonly log: Log
  readonly metrics: ControllerMetrics
  /** How often everything is looked at again, and the source's head too, when nothing tells of a change. */
  readonly resyncMs: number
  readonly pollMs: () => number
  readonly workers: number
  /** Told after every accepted revision, and of every status that changed. */
  readonly onAccepted: (accepted: Accepted) => void
  readonly onStatus: (keys: readonly ObjectKey[]) => void
  /** The pods an agent has at this moment, for the health expressions of its source. */
  readonly podsOf: (agentUid: string) => readonly HealthSubject[]
  /** An object is confirmed gone. */
  readonly onGone?: (key: ObjectKey) => void
}

export interface ControllerMetrics {
  synced(outcome: 'applied' | 'partial' | 'refused' | 'observed', seconds: number): void
  reconciled(kind: string, result: 'success' | 'requeue' | 'requeue_after' | 'stalled' | 'error', seconds: number): void
  readonly queue: QueueObserver
}

interface PassRequest {
  readonly actor: string
  readonly replan: readonly ObjectKey[]
  readonly full: boolean
}

/** Kinds that say who has to agree to changes. */
const DECIDING = new Set(['Environment', 'Policy', 'Principal', 'Source'])
const RETRY_MS = 200
/** How long the status of a source waits for its objects' before it says that they are not ready. */
const SOURCE_STATUS_MS = 100
/** A timer longer than this would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
const MAX_RETRY_MS = 60_000

export const CONTROLLER_LEASE = 'controller'

/**
 * The loop: a source's head becomes the accepted state (one pass at a time), and a queue of object keys brings every object to
 * it. Only the holder of the `controller` lease starts it. Level-triggered: an event only says when to look.
 */
export class Controller {
  readonly #options: ControllerOptions
  readonly #reconcilers: ReadonlyMap<string, KindReconciler>
  readonly #queue: WorkQueue
  readonly #statuses: StatusWriter
  readonly #stopping = new AbortController()
  #passing: Promise<void> | null = null
  #requests: {
    request: PassRequest
    settle: { resolve: (accepted: Accepted | null) => void; reject: (error: unknown) => void }
  }[] = []
  #workers: Promise<void>[] = []
  #watcher: { close(): Promise<void> } | null = null
  #poll: NodeJS.Timeout | null = null
  #expiry: NodeJS.Timeout | null = null
  #passFailures = 0

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#reconcilers = new Map(options.reconcilers.map((reconciler) => [reconciler.kind, reconciler]))
    this.#queue = new WorkQueue({ metrics: options.metrics.queue })
    this.#statuses = new StatusWriter(options.store, options.world, (keys) => this.#statusChanged(keys))
  }

  /** Loads the world, makes the first pass and starts the workers. Resolves after the first pass. */
  async start(): Promise<Accepted | null> {
    const { store, world, source, drift } = this.#options
    await loadWorld(store, world)
    const there = new Set([...world.objects.values()].map(({ uid }) => uid))
    await drift.load((uid) => there.has(uid))
    await this.overridesChanged([])
    this.#workers = Array.from({ length: this.#options.workers }, () => this.#work())
    // Before the first pass: what is pushed meanwhile is not slept over.
    this.#watcher = await source.watch(() => this.#lookAgain())
    const first = await this.pass({ actor: 'system' })
    for (const key of world.objects.keys()) this.#queue.add(key, 'resync')
    this.#schedulePoll()
    return first
  }

  /** Looks at the source now; resolves when a pass that began after this call is over. */
  pass(request: {
    readonly actor: string
    readonly replan?: Iterable<ObjectKey>
    readonly full?: boolean
  }): Promise<Accepted | null> {
    if (this.#stopping.signal.aborted) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      this.#requests.push({
        request: { actor: request.actor, replan: [...(request.replan ?? [])], full: request.full === true },
        settle: { resolve, reject },
      })
      this.#passing ??= this.#passes().finally(() => {
        this.#passing = null
      })
    })
  }

  /** Looks at one object soon. */
  enqueue(key: ObjectKey): void {
    this.#queue.add(key, 'urgent')
  }

  /** Reads the overrides again, ends those that are over, and looks at everything they concern. */
  async overridesChanged(keys: readonly ObjectKey[]): Promise<void> {
    const { store, world } = this.#options
    world.setOverrides(await loadOverrides(store.reader))
    const ended = await endOverrides(store, world)
    if (ended.length > 0) world.setOverrides(await loadOverrides(store.reader))
    for (const key of [...keys, ...ended]) this.enqueue(key)
    // A source that was suspended has not been read since; changes may wait for what was suspended, or goes on.
    if ([...keys, ...ended].some((key) => DECIDING.has(refOf(key).kind))) this.#lookAgain()
    this.#scheduleExpiry()
  }

  /** Resolves when nothing is queued, nothing is being worked on and every status is durable. */
  async settled(): Promise<void> {
    await this.#passing
    await this.#queue.idle()
    await this.#statuses.settled()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#poll !== null) clearTimeout(this.#poll)
    if (this.#expiry !== null) clearTimeout(this.#expiry)
    await this.#watcher?.close()
    await this.#passing
    this.#queue.close()
    await Promise.all(this.#workers)
    await this.#statuses.settled()
  }

  async #passes(): Promise<void> {
    while (this.#requests.length > 0) {
      const batch = this.#requests.splice(0)
      try {
        const accepted = await this.#onePass(batch.map(({ request }) => request))
        for (const { settle } of batch) settle.resolve(accepted)
      } catch (error) {
        for (const { settle } of batch) settle.reject(error)
      }
    }
  }

  async #onePass(requests: readonly PassRequest[]): Promise<Accepted | null> {
    const { sync, metrics, onAccepted } = this.#options
    const replan = new Set(requests.flatMap((request) => request.replan))
    const pendingBefore = sync.state.plan?.pending ?? new Set<ObjectKey>()
    const accepted = await sync.pass({
      actor: requests.find((request) => request.actor !== 'system')?.actor ?? 'system',
      ...(replan.size > 0 ? { replan } : {}),
      full: requests.some((request) => request.full),
    })
    this.#queueSourcesAfter(accepted)
    if (accepted === null) return null
    for (const key of [...accepted.changed, ...pendingBefore, ...(sync.state.plan?.pending ?? [])]) {
      this.#queue.add(key)
      for (const dependant of sync.desired?.namedBy(key) ?? []) this.#queue.add(dependant)
    }
    // How a source tells health concerns all that it declares.
    if (accepted.changed.some((key) => refOf(key).kind === 'Source'))
      for (const key of this.#options.world.objects.keys()) this.#queue.add(key, 'resync')
    metrics.synced(accepted.sync.outcome, accepted.sync.duration_ms / 1000)
    onAccepted(accepted)
    this.#askAgain(accepted)
    if (this.#options.world.allOverrides().length > 0) await this.overridesChanged([])
    return accepted
  }

  /** What waits was decided about as it stood before: who decides may be others now. */
  #askAgain({ changed }: Accepted): void {
    const held = (this.#options.sync.state.plan?.changes ?? []).filter((change) => change.held !== undefined)
    if (held.length === 0 || !changed.some((key) => DECIDING.has(key.slice(0, key.indexOf('/'))))) return
    void this.pass({ actor: 'system', replan: held.map(keyOf) }).catch((error: unknown) => this.#passFailed(error))
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.take(); key !== null; key = await this.#queue.take()) {
      try {
        await this.#reconcile(key)
      } catch (error) {
        // The status could not be written: the database is away, or the lease is lost. The store says which.
        const again = this.#queue.failed(key)
        this.#options.log.error({ key, err: error, again_ms: Math.round(again) }, 'status could not be written')
      } finally {
        this.#queue.finish(key)
      }
    }
  }

  async #reconcile(key: ObjectKey): Promise<void> {
    const { store, world, log, metrics, resyncMs, sync, drift } = this.#options
    const startedMs = store.clock.monotonicMs()
    const wasThere = world.get(key)
    const result = await reconcileObject(key, {
      store,
      world,
      statuses: this.#statuses,
      reconcilers: this.#reconcilers,
      issuesOf: (of) => sync.state.issuesOf.get(of) ?? [],
      heldChangeOf: (of) =>
        sync.state.plan?.changes.find((change) => change.held !== undefined && keyOf(change) === of) ?? null,
      attemptedRevision: () => sync.state.head?.commit ?? null,
      drift,
      resyncMs,
      log,
      podsOf: this.#options.podsOf,
    })
    const seconds = (store.clock.monotonicMs() - startedMs) / 1000
    const kind = refOf(key).kind
    if (result.result === 'failed') {
      this.#queue.failed(key)
      metrics.reconciled(kind, 'error', seconds)
      return
    }
    this.#queue.succeeded(key)
    if (result.result === 'gone') {
      this.#queue.forget(key)
      // Declared again while it was being removed: now it can be created.
      if (wasThere !== undefined && sync.desired?.get(key) != null)
        void this.pass({ actor: 'system', replan: [key] }).catch((error) => this.#passFailed(error))
      if (wasThere !== undefined) {
        this.#queueSources()
        this.#options.onGone?.(key)
      }
      return
    }
    if (result.again !== null) this.#queue.addAfter(key, result.again)
    metrics.reconciled(kind, result.result === 'superseded' ? 'requeue' : result.result, seconds)
  }

  /** Whoever waits for these, and the sources, whose readiness sums them up. */
  #statusChanged(keys: readonly ObjectKey[]): void {
    const { world, sync, onStatus } = this.#options
    for (const key of keys) {
      if (readyOf(world.get(key)?.status ?? {}).status !== 'True') continue
      for (const dependant of sync.desired?.namedBy(key) ?? []) this.#queue.add(dependant)
    }
    if (keys.some((key) => refOf(key).kind !== 'Source')) this.#queueSources()
    onStatus(keys)
  }

  /** Each object that changed queues the sources once it has reported: then a small commit is one status of its source. */
  #queueSourcesAfter(accepted: Accepted | null): void {
    if (accepted === null || accepted.changed.length === 0) {
      this.#queueSources()
      return
    }
    for (const key of this.#options.world.ofKind('Source').keys()) this.#queue.addAfter(key, SOURCE_STATUS_MS, 'urgent')
  }

  #queueSources(): void {
    for (const key of this.#options.world.ofKind('Source').keys()) this.#queue.add(key)
  }

  #schedulePoll(): void {
    this.#poll = setTimeout(() => {
      this.#lookAgain()
      if (!this.#stopping.signal.aborted) this.#schedulePoll()
    }, this.#options.pollMs())
    this.#poll.unref()
  }

  /** The next override that ends by itself. */
  #scheduleExpiry(): void {
    if (this.#expiry !== null) clearTimeout(this.#expiry)
    const times = this.#options.world
      .allOverrides()
      .flatMap((row) => (row.expires_at === null ? [] : [row.expires_at.getTime()]))
    if (times.length === 0 || this.#stopping.signal.aborted) return
    const wait = Math.max(0, Math.min(...times) - this.#options.store.clock.now().getTime())
    this.#expiry = setTimeout(
      () => {
        void this.overridesChanged([]).catch((error: unknown) => this.#passFailed(error))
      },
      Math.min(wait, LONGEST_TIMER_MS),
    )
    this.#expiry.unref()
  }

  /** The store failed, not the source: what was read is not accepted yet, so it is tried again soon. */
  #passFailed(error: unknown): void {
    const again = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#passFailures++)
    this.#options.log.error({ err: error, again_ms: again }, 'a pass over the source failed; it will be tried again')
    const timer = setTimeout(() => this.#lookAgain(), again)
    timer.unref()
  }

  #lookAgain(): void {
    void this.pass({ actor: 'system' }).then(
      () => {
        this.#passFailures = 0
      },
      (error: unknown) => this.#passFailed(error),
    )
  }
}
