import type { EventName } from '../../events/catalogue.ts'
import { keyOf, type ObjectKey, type ObjectStatus } from '../../kinds/resource.ts'
import { canonicalJson } from '../../lib/digest.ts'
import { uuidv7 } from '../../lib/ids.ts'
import { readyOf } from '../../status/summarize.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import { saveStatuses } from '../../store/queries/objects.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { World, WorldObject } from '../world.ts'

interface Pending {
  readonly object: WorldObject
  readonly status: ObjectStatus
  readonly correlationId: string
  readonly waiting: { resolve: () => void; reject: (error: unknown) => void }[]
}

/**
 * Writes statuses in batches: while one transaction is in flight, the next ones gather. A status that did not change is
 * not written. The world follows after the commit. At most `MAX_BATCH` statuses a transaction.
 */
export class StatusWriter {
  readonly #store: Store
  readonly #world: World
  readonly #changed: (keys: readonly ObjectKey[]) => void
  #queue = new Map<ObjectKey, Pending>()
  #flushing: Promise<void> | null = null

  constructor(store: Store, world: World, changed: (keys: readonly ObjectKey[]) => void) {
    this.#store = store
    this.#world = world
    this.#changed = changed
  }

  /** Resolves when the status is durable, at once when it equals what is stored. */
  async write(key: ObjectKey, status: ObjectStatus, correlationId: string): Promise<void> {
    const object = this.#world.get(key)
    if (object === undefined) return
    if (!this.#queue.has(key) && canonicalJson(object.status) === canonicalJson(status)) return
    await new Promise<void>((resolve, reject) => {
      const waiting = [...(this.#queue.get(key)?.waiting ?? []), { resolve, reject }]
      this.#queue.set(key, { object, status, correlationId, waiting })
      this.#flushing ??= this.#flush().finally(() => {
        this.#flushing = null
      })
    })
  }

  async settled(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing
  }

  async #flush(): Promise<void> {
    // Lets everything that is being decided in this turn come along.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.size > 0) {
      const batch = [...this.#queue.values()].slice(0, MAX_BATCH)
      for (const { object } of batch) this.#queue.delete(keyOf(object))
      try {
        await this.#commit(batch)
        for (const { waiting } of batch) for (const { resolve } of waiting) resolve()
      } catch (error) {
        for (const { waiting } of batch) for (const { reject } of waiting) reject(error)
      }
    }
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    const now = this.#store.clock.now()
    const versions = await transact(this.#store, async (tx) => {
      const { firstSeq } = await appendEvents(
        tx,
        this.#store,
        batch.map((pending) => statusEvent(pending, now)),
      )
      await saveStatuses(
        tx,
        batch.map(({ object, status }, i) => ({ uid: object.uid, status, resource_version: firstSeq + i })),
      )
      return firstSeq
    })
    for (const [i, { object, status }] of batch.entries()) {
      const current = this.#world.get(keyOf(object))
      if (current?.uid === object.uid)
        this.#world.put({ ...current, status, resourceVersion: Math.max(current.resourceVersion, versions + i) })
    }
    this.#changed(batch.map(({ object }) => keyOf(object)))
  }
}

const MAX_BATCH = 2_000

function statusEvent({ object, status, correlationId }: Pending, now: Date): NewEvent {
  const ready = readyOf(status)
  return {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.object.status_changed' satisfies EventName,
    occurred_at: now,
    env_id: object.namespace === '' ? 'default' : object.namespace,
    actor: 'system',
    correlation_id: correlationId,
    resource: { type: object.kind, id: object.uid },
    data: {
      namespace: object.namespace,
      name: object.name,
      ready: ready.status,
      reason: ready.reason,
      message: ready.message,
    },
  }
}
