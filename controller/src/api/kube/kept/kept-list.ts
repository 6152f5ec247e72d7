import type { Executor, Sql } from '../../../store/database.ts'
import { logHead } from '../../../store/log.ts'
import type { LiveStatus, ServedResource } from '../served-resource.ts'
import { type KeptObject, keptObject, withLiveStatus } from './kept-object.ts'

/** More objects than this are not kept: they are listed in pages. */
export const MOST_KEPT = 20_000
/** Characters of all of them. */
const MOST_CHARACTERS = 96 * 1024 * 1024
const IDLE_MS = 600_000

/** All objects of a resource at one moment. */
export interface Kept {
  /** By namespace and name. */
  readonly objects: readonly KeptObject[]
  /** Number of the newest event they hold. */
  readonly head: number
}

/** A resource that can tell what has changed. */
export type KeepableResource = ServedResource & Required<Pick<ServedResource, 'kept'>>

export function isKeepable(resource: ServedResource): resource is KeepableResource {
  return resource.kept !== undefined
}

/**
 * The objects of one resource as they are answered, kept between lists: a list reads what has changed since the one before it,
 * in one snapshot of the database, and is as new as if it had read everything. Lists that come at the same time are one.
 * What nobody lists for ten minutes is forgotten.
 */
export class KeptList {
  readonly #sql: Sql
  readonly #resource: KeepableResource
  #kept: Kept | null = null
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<Kept | null> | null = null
  #idle: NodeJS.Timeout | null = null

  constructor(sql: Sql, resource: KeepableResource) {
    this.#sql = sql
    this.#resource = resource
  }

  /** Everything as it is now, or null when that is too much to keep. */
  current(): Promise<Kept | null> {
    this.#next ??= this.#afterThis()
    return this.#next
  }

  async #afterThis(): Promise<Kept | null> {
    // Whoever asked for the one before is told of its failure.
    await this.#running.catch(() => undefined)
    this.#next = null
    const refreshed = this.#refresh()
    this.#running = refreshed
    return refreshed
  }

  async #refresh(): Promise<Kept | null> {
    const stored = await this.#sql.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', (tx) => this.#read(tx))
    if (stored === null) {
      this.#kept = null
      return null
    }
    const live = await this.#resource.kept.live(stored.objects.map(({ uid }) => uid))
    const kept = { head: stored.head, objects: this.#enliven(stored.objects, live) }
    this.#keep(kept)
    return kept
  }

  async #read(tx: Executor): Promise<Kept | null> {
    const { kept: reads } = this.#resource
    const before = this.#kept
    const { seq: head } = await logHead(tx)
    // A database that follows another one may be behind what was read from that.
    if (before !== null && head < before.head) return before
    const totals = await reads.totals(tx)
    if (totals.count > MOST_KEPT) return null
    const changed = await reads.changedSince(tx, before?.head ?? 0)
    const all = new Map(before?.objects.map((object) => [object.uid, object]))
    const isOrdered = changed.every(({ metadata }) => all.has(metadata.uid))
    for (const view of changed) all.set(view.metadata.uid, keptObject(this.#resource, view))
    // Whatever changes has a new version, and generations only rise: the same sums are the same objects.
    if (all.size !== totals.count || generationsOf(all) !== totals.generations) await this.#settle(tx, all)
    const objects = [...all.values()]
    return { objects: isOrdered ? objects : objects.sort(byPlace), head }
  }

  /** What is gone, or counts its generations elsewhere. */
  async #settle(tx: Executor, all: Map<string, KeptObject>): Promise<void> {
    const present = await this.#resource.kept.generations(tx)
    for (const uid of [...all.keys()]) if (!present.has(uid)) all.delete(uid)
    const moved = [...all.values()].filter(({ uid, generation }) => present.get(uid) !== generation)
    const views = await this.#resource.byId(
      tx,
      moved.map(({ uid }) => uid),
    )
    for (const view of views) all.set(view.metadata.uid, keptObject(this.#resource, view))
  }

  #enliven(objects: readonly KeptObject[], live: ReadonlyMap<string, LiveStatus>): readonly KeptObject[] {
    // Thousands may share one.
    const texts = new Map<LiveStatus | undefined, string>([[undefined, '']])
    return objects.map((object) => {
      const status = live.get(object.uid)
      let text = texts.get(status)
      if (text === undefined) {
        text = JSON.stringify(status)
        texts.set(status, text)
      }
      return text === object.live ? object : withLiveStatus(this.#resource, object, text)
    })
  }

  #keep(kept: Kept): void {
    const characters = kept.objects.reduce((sum, { stored, live }) => sum + stored.length + live.length, 0)
    this.#kept = characters > MOST_CHARACTERS ? null : kept
    this.#idle ??= setTimeout(() => {
      this.#kept = null
      this.#idle = null
    }, IDLE_MS).unref()
    this.#idle.refresh()
  }
}

function generationsOf(all: ReadonlyMap<string, KeptObject>): number {
  let sum = 0
  for (const { generation } of all.values()) sum += generation
  return sum
}

function byPlace(a: KeptObject, b: KeptObject): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
