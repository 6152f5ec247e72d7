import { setTimeout as delay } from 'node:timers/promises'
import type { EventName } from '../events/catalogue.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { logHead } from '../store/log.ts'
import { loadObjects, objectsOf } from '../store/queries/objects.ts'
import { changedObjects } from '../store/queries/objects-changed.ts'
import { loadOverrides } from '../store/queries/overrides.ts'
import type { Store } from '../store/store.ts'
import { type World, worldObjectOf } from './world.ts'

const CHANGED: readonly EventName[] = [
  'stateward.object.created',
  'stateward.object.updated',
  'stateward.object.deleting',
  'stateward.object.status_changed',
]
const GONE: EventName = 'stateward.object.deleted'
const OVERRIDDEN: readonly EventName[] = [
  'stateward.object.suspended',
  'stateward.object.resumed',
  'stateward.override.absorbed',
  'stateward.override.superseded',
  'stateward.override.expired',
  'stateward.override.orphaned',
  'stateward.intervention.issued',
]
const EVENTS = { changed: CHANGED, gone: GONE, overridden: OVERRIDDEN }

/** At least this long between two looks: a busy log moves thousands of times a second. */
const PAUSE_MS = 100
const RETRY_MS = 1000

/**
 * Keeps the world of a process that does not lead equal to the tables: the leader writes them, and every change of an
 * object or an override is an event. A look reads the events since the last one, by their names, and the rows they are
 * about; it writes nothing.
 */
export class WorldFollower {
  readonly #store: Store
  readonly #world: World
  readonly #changed: () => Promise<void>
  readonly #stopping = new AbortController()
  #seq = 0
  #looking: Promise<void> | null = null
  #again = false

  constructor(store: Store, world: World, changed: () => Promise<void>) {
    this.#store = store
    this.#world = world
    this.#changed = changed
  }

  /** Reads everything. Before that the world is empty. */
  async load(): Promise<void> {
    // The position first: what changes meanwhile is read again rather than missed.
    this.#seq = (await logHead(this.#store.reader)).seq
    await loadWorld(this.#store, this.#world)
    await this.#changed()
  }

  /** The log has grown. */
  nudge(): void {
    this.#again = true
    if (this.#looking !== null || this.#stopping.signal.aborted) return
    this.#looking = this.#look().finally(() => {
      this.#looking = null
      if (this.#again) this.nudge()
    })
  }

  /** Resolves when it reads no more: from then on the world is somebody else's to change. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#looking
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping
    let pause = PAUSE_MS
    while (this.#again && !signal.aborted) {
      this.#again = false
      try {
        if (await this.#catchUp()) await this.#changed()
        pause = PAUSE_MS
      } catch (error) {
        this.#again = true
        pause = RETRY_MS
        this.#store.log.warn({ err: error }, 'what the leader accepted could not be read; trying again')
      }
      // Aborted while it waits: the loop ends by its condition.
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** True when something changed. */
  async #catchUp(): Promise<boolean> {
    const { reader } = this.#store
    const { seq: head } = await logHead(reader)
    if (head <= this.#seq) return false
    const { uids, gone, overrides } = await changedObjects(reader, EVENTS, this.#seq, head)
    const rows = uids.length === 0 ? [] : await objectsOf(reader, uids)
    if (overrides) this.#world.setOverrides(await loadOverrides(reader))
    const there = new Set(rows.map(({ uid }) => uid))
    for (const { uid, ...ref } of gone) {
      // Its successor of the same name may be there already.
      const key = keyOf(ref)
      if (!there.has(uid) && this.#world.get(key)?.uid === uid) this.#world.remove(key)
    }
    for (const row of rows) this.#world.put(worldObjectOf(row))
    this.#seq = head
    return uids.length > 0 || gone.length > 0 || overrides
  }
}

/** Makes the world what the tables hold. */
export async function loadWorld(store: Store, world: World): Promise<void> {
  const seen = new Set<ObjectKey>()
  for await (const rows of loadObjects(store.reader))
    for (const row of rows) {
      const object = worldObjectOf(row)
      seen.add(keyOf(object))
      world.put(object)
    }
  for (const key of [...world.objects.keys()]) if (!seen.has(key)) world.remove(key)
  world.setOverrides(await loadOverrides(store.reader))
  world.loaded()
}
