import { kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectKey, type ObjectStatus, type Resource } from '../kinds/resource.ts'
import { fillDefaults } from '../kinds/validate.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { mergePatch } from '../lib/merge-patch.ts'
import type { ActualObject } from '../plan/actual-state.ts'
import { effectiveSpec } from '../plan/effective-spec.ts'
import { readyOf } from '../status/summarize.ts'
import type { ObjectRow } from '../store/queries/objects.ts'
import type { OverrideRow } from '../store/queries/overrides.ts'

/** The source of agents that were spawned while the fleet runs. */
export const SPAWNED = '(spawned)'

/** An accepted object with its status, as the controller holds it in memory. */
export interface WorldObject extends ActualObject {
  readonly source: string
  readonly resourceVersion: number
  readonly specResourceVersion: number
  readonly lastAppliedRevision: string
  readonly createdAt: Date
  readonly deletionTimestamp: Date | null
  readonly status: ObjectStatus
}

/**
 * What was last accepted: the controller's memory of the tables `objects` and `overrides`. Written only after the
 * transaction that wrote the rows was committed, so it never runs ahead of the database.
 */
export class World {
  readonly #objects = new Map<ObjectKey, WorldObject>()
  readonly #overrides = new Map<ObjectKey, OverrideRow[]>()
  readonly #notReady = new Set<ObjectKey>()
  readonly #byKind = new Map<string, Map<ObjectKey, WorldObject>>()
  readonly #declared = new Map<ObjectKey, WorldObject>()
  readonly #now: () => Date
  #version = 0
  #frozen: string | null = null
  #loaded = false
  /** When the next suspension ends by itself; in milliseconds. */
  #nextEnd = Number.POSITIVE_INFINITY

  /** `now`: left out, what is suspended until a time stays so. */
  constructor(now: () => Date = () => NEVER) {
    this.#now = now
  }

  get objects(): ReadonlyMap<ObjectKey, WorldObject> {
    return this.#objects
  }

  /** What sources declare: nothing else is theirs to change or to remove. */
  get declared(): ReadonlyMap<ObjectKey, WorldObject> {
    return this.#declared
  }

  get(key: ObjectKey): WorldObject | undefined {
    return this.#objects.get(key)
  }

  /** The objects of one kind. */
  ofKind(kind: string): ReadonlyMap<ObjectKey, WorldObject> {
    return this.#byKind.get(kind) ?? NONE
  }

  /** Everything the database holds is here. */
  get isLoaded(): boolean {
    return this.#loaded
  }

  loaded(): void {
    this.#loaded = true
  }

  /** Moves whenever a spec may have changed: what was worked out of specs is good until then. */
  get version(): number {
    if (this.#nextEnd !== Number.POSITIVE_INFINITY && this.#now().getTime() >= this.#nextEnd) {
      this.#version++
      this.#nextEnd = Math.min(...[...this.#objects.values()].map((object) => this.#endOf(object.spec)))
    }
    return this.#version
  }

  /** When a suspension ends that has not; never for any other. */
  #endOf(spec: JsonObject): number {
    const until = spec['suspendUntil']
    const end = typeof until === 'string' ? Date.parse(until) : Number.NaN
    return end > this.#now().getTime() ? end : Number.POSITIVE_INFINITY
  }

  put(object: WorldObject): void {
    const key = keyOf(object)
    const before = this.#objects.get(key)
    if (before?.spec !== object.spec || before.deleting !== object.deleting) this.#version++
    this.#objects.set(key, object)
    if (object.spec['suspendUntil'] !== undefined) this.#nextEnd = Math.min(this.#nextEnd, this.#endOf(object.spec))
    const isSpawned = object.source === SPAWNED
    if (!isSpawned) this.#declared.set(key, object)
    const ofKind = this.#byKind.get(object.kind)
    if (ofKind === undefined) this.#byKind.set(object.kind, new Map([[key, object]]))
    else ofKind.set(key, object)
    // Suspended objects are as somebody wanted them.
    const ready = readyOf(object.status)
    const fine = ready.status === 'True' || ready.reason === 'Suspended' || ready.reason === 'NotYetEnforced'
    // What was said of an older revision says nothing of this one.
    const current = !object.deleting && object.status.lastAppliedRevision === object.lastAppliedRevision
    if ((fine && current) || object.kind === 'Source' || isSpawned) this.#notReady.delete(key)
    else this.#notReady.add(key)
  }

  remove(key: ObjectKey): void {
    const object = this.#objects.get(key)
    if (object !== undefined) this.#byKind.get(object.kind)?.delete(key)
    this.#version++
    this.#objects.delete(key)
    this.#declared.delete(key)
    this.#notReady.delete(key)
  }

  /** Declared objects that are not Ready, Sources left out. */
  notReady(): ReadonlySet<ObjectKey> {
    return this.#notReady
  }

  /** Why no agent may do anything at this moment; null = they may. */
  get frozen(): string | null {
    return this.#frozen
  }

  setFrozen(why: string | null): void {
    this.#version++
    this.#frozen = why
  }

  setOverrides(rows: readonly OverrideRow[]): void {
    this.#version++
    this.#overrides.clear()
    for (const row of rows) this.#overrides.set(keyOf(row), [...(this.#overrides.get(keyOf(row)) ?? []), row])
  }

  allOverrides(): readonly OverrideRow[] {
    return [...this.#overrides.values()].flat()
  }

  overrides(key: ObjectKey): readonly OverrideRow[] {
    return this.#overrides.get(key) ?? []
  }

  /** template ← object ← Environment.overrides ← live overrides, defaults filled: what is acted on. */
  effective(object: WorldObject): JsonObject {
    const inherited = effectiveSpec(resourceOf(object), {
      get: (key) => {
        const other = this.#objects.get(key)
        return other === undefined || other.deleting ? null : resourceOf(other)
      },
      fileOid: () => null,
    }).spec
    const live = this.overrides(keyOf(object)).reduce<JsonObject>(
      (spec, row) => mergePatch(spec, patchOf(row)) as JsonObject,
      inherited,
    )
    const halted = this.#frozen !== null && object.kind === 'Agent' ? { ...live, suspend: true } : live
    const filled = fillDefaults(object.kind, halted) as JsonObject
    return this.#endOf(filled) === Number.POSITIVE_INFINITY ? filled : { ...filled, suspend: true }
  }
}

const NONE: ReadonlyMap<ObjectKey, WorldObject> = new Map()
const NEVER = new Date(0)

/** An override's path is one field of the spec. */
function patchOf(row: OverrideRow): Record<string, Json> {
  return { [row.path.split('/').at(-1)!]: row.value }
}

/** The declaration of an accepted object. */
export function resourceOf(object: WorldObject): Resource {
  const { kind, namespace, name, labels, annotations, spec, specDigest } = object
  return {
    kind,
    namespace,
    name,
    labels,
    annotations,
    spec,
    specDigest,
    origin: { file: object.file, document: object.document },
  }
}

export function worldObjectOf(row: ObjectRow): WorldObject {
  return {
    uid: row.uid,
    kind: row.kind,
    namespace: row.namespace,
    name: row.name,
    source: row.source,
    generation: row.generation,
    resourceVersion: row.resource_version,
    specResourceVersion: row.spec_resource_version,
    labels: row.labels,
    annotations: row.annotations,
    spec: row.spec,
    specDigest: row.spec_digest,
    effectiveDigest: row.effective_digest,
    file: row.origin_file,
    document: row.origin_document,
    oid: row.origin_oid,
    lastAppliedRevision: row.last_applied_revision,
    createdAt: row.created_at,
    deletionTimestamp: row.deletion_timestamp,
    deleting: row.deletion_timestamp !== null,
    status: row.status,
  }
}

export function rowOfWorldObject(object: WorldObject): ObjectRow {
  return {
    uid: object.uid,
    kind: object.kind,
    namespace: object.namespace,
    name: object.name,
    source: object.source,
    generation: object.generation,
    resource_version: object.resourceVersion,
    spec_resource_version: object.specResourceVersion,
    labels: object.labels,
    annotations: object.annotations,
    spec: object.spec,
    spec_digest: object.specDigest,
    effective_digest: object.effectiveDigest,
    origin_file: object.file,
    origin_document: object.document,
    origin_oid: object.oid,
    last_applied_revision: object.lastAppliedRevision,
    status: object.status,
    created_at: object.createdAt,
    deletion_timestamp: object.deletionTimestamp,
  }
}

/** References of the merged spec that have no object in the world any more. */
export function missingReferences(world: World, object: WorldObject): string[] {
  const definition = kindOf(object.kind)
  return (definition?.references(object.spec) ?? [])
    .filter((reference) => reference.strength === 'required')
    .filter((reference) => {
      const kinds = [reference.kind, ...(reference.alternatives ?? [])]
      return !kinds.some((kind) => {
        const target = world.get(
          keyOf({ kind, namespace: kindOf(kind)?.scope === 'Cluster' ? '' : object.namespace, name: reference.name }),
        )
        return target !== undefined && !target.deleting
      })
    })
    .map((reference) => `${reference.kind} ${reference.name}`)
}
