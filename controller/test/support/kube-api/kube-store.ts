import { randomUUID } from 'node:crypto'
import { canonicalJson } from '../../../src/lib/digest.ts'
import type { JsonObject } from '../../../src/lib/json.ts'
import type { KubeResource } from './kube-resource.ts'
import { type FieldOwners, refuse } from './refusal.ts'

export interface Metadata {
  name: string
  namespace?: string
  uid: string
  resourceVersion: string
  generation: number
  creationTimestamp: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  finalizers?: string[]
  generateName?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: JsonObject[]
  managedFields?: JsonObject[]
}

export interface Stored {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec?: JsonObject
  status?: JsonObject
  [field: string]: unknown
}

export interface Change {
  readonly version: number
  readonly resource: KubeResource
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Stored
  /** As it was before; null = it was not there. */
  readonly before: Stored | null
}

/**
 * What an API server keeps, with its rules: versions that only rise, generations that follow the spec, deletion that waits
 * for finalizers, nothing written that changes nothing. It outlives the servers that are started on it.
 */
export class KubeStore {
  #version = 1000
  /** Changes up to this one are forgotten. */
  #oldest = 1000
  #log: Change[] = []
  readonly #objects = new Map<string, Stored>()
  readonly #owners = new Map<string, FieldOwners>()
  readonly #listeners = new Set<() => void>()

  get version(): number {
    return this.#version
  }

  get oldest(): number {
    return this.#oldest
  }

  /** Forgets the changes so far: whoever watches from before is told that it is too late. */
  compact(): void {
    this.#log = []
    this.#oldest = this.#version
  }

  /** Counts on without an object that changed, as a server does on which other things happen. */
  advance(by: number): void {
    this.#version += by
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changesAfter(version: number, resource: KubeResource): readonly Change[] {
    return this.#log.filter((change) => change.version > version && change.resource === resource)
  }

  get(resource: KubeResource, namespace: string, name: string): Stored | null {
    return this.#objects.get(keyOf(resource, namespace, name)) ?? null
  }

  find(resource: KubeResource, namespace: string, name: string): Stored {
    const found = this.get(resource, namespace, name)
    if (found === null)
      throw refuse(
        404,
        'NotFound',
        `${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} "${name}" not found`,
      )
    return found
  }

  /** By namespace and name. */
  list(resource: KubeResource, namespace: string | null): readonly Stored[] {
    return [...this.#objects.values()]
      .filter(
        (object) =>
          object.kind === resource.kind &&
          object.apiVersion === apiVersionOf(resource) &&
          (namespace === null || object.metadata.namespace === namespace),
      )
      .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  }

  ownersOf(resource: KubeResource, object: Stored): FieldOwners {
    const key = keyOf(resource, object.metadata.namespace ?? '', object.metadata.name)
    const owners = this.#owners.get(key) ?? new Map()
    this.#owners.set(key, owners)
    return owners
  }

  create(resource: KubeResource, namespace: string, given: JsonObject, isDryRun = false): Stored {
    const sent = structuredClone(given) as unknown as Stored
    const metadata = sent.metadata ?? ({} as Metadata)
    const name = metadata.name ?? `${metadata.generateName ?? ''}${randomUUID().slice(0, 5)}`
    if (this.get(resource, namespace, name) !== null)
      throw refuse(409, 'AlreadyExists', `${resource.plural} "${name}" already exists`)
    const object: Stored = {
      ...sent,
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: {
        ...metadata,
        name,
        ...(resource.namespaced ? { namespace } : {}),
        uid: randomUUID(),
        generation: 1,
        creationTimestamp: now(),
        resourceVersion: '0',
      },
    }
    if (resource.hasStatus) delete object.status
    delete object.metadata.deletionTimestamp
    this.#check(resource, object)
    if (!isDryRun) this.#put(resource, object, null)
    return object
  }

  /** Replaces the object by another state of it; `part` is what may differ. */
  update(resource: KubeResource, before: Stored, given: Stored, part: 'all' | 'status', isDryRun = false): Stored {
    const { namespace = '', name, uid } = before.metadata
    // Of what is written to a status nothing but the status is looked at.
    if (part === 'all' && given.metadata.uid !== undefined && given.metadata.uid !== uid)
      throw refuse(422, 'Invalid', `metadata.uid: Invalid value: "${given.metadata.uid}": field is immutable`)
    const after = structuredClone(before)
    if (part === 'status') setOrDelete(after, 'status', given.status)
    else {
      for (const field of new Set([...Object.keys(before), ...Object.keys(given)]))
        if (!['apiVersion', 'kind', 'metadata', ...(resource.hasStatus ? ['status'] : [])].includes(field))
          setOrDelete(after, field, given[field])
      for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const)
        setOrDelete(after.metadata as never, field, given.metadata[field])
    }
    const news = (after.metadata.finalizers ?? []).filter((one) => !(before.metadata.finalizers ?? []).includes(one))
    if (before.metadata.deletionTimestamp !== undefined && news.length > 0)
      throw refuse(
        422,
        'Invalid',
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted',
      )
    this.#check(resource, after)
    if (canonicalJson(after) === canonicalJson(before)) return before
    if (canonicalJson(after.spec ?? null) !== canonicalJson(before.spec ?? null)) after.metadata.generation++
    if (isDryRun) return after
    if (after.metadata.deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0) {
      this.#remove(resource, this.get(resource, namespace, name)!, after)
      return after
    }
    this.#put(resource, after, before)
    return after
  }

  /** Marks it, or takes it away when nobody holds it. */
  delete(
    resource: KubeResource,
    object: Stored,
    graceSeconds = 0,
  ): { readonly object: Stored; readonly isGone: boolean } {
    if ((object.metadata.finalizers ?? []).length === 0) {
      const last = structuredClone(object)
      this.#remove(resource, object, last)
      return { object: last, isGone: true }
    }
    const before = object.metadata.deletionTimestamp === undefined ? null : object.metadata.deletionGracePeriodSeconds!
    // Once asked for it can only become sooner.
    if (before !== null && graceSeconds >= before) return { object, isGone: false }
    const after = structuredClone(object)
    after.metadata.deletionTimestamp = now(graceSeconds)
    after.metadata.deletionGracePeriodSeconds = graceSeconds
    after.metadata.generation++
    this.#put(resource, after, object)
    return { object: after, isGone: false }
  }

  #check(resource: KubeResource, object: Stored): void {
    const causes = resource.problems(object)
    if (causes.length === 0) return
    const what = causes.map(({ field, message }) => `${field}: ${message}`).join(', ')
    throw refuse(422, 'Invalid', `${resource.kind} "${object.metadata.name}" is invalid: ${what}`, causes)
  }

  #put(resource: KubeResource, object: Stored, before: Stored | null): void {
    object.metadata.resourceVersion = String(++this.#version)
    this.#objects.set(keyOf(resource, object.metadata.namespace ?? '', object.metadata.name), object)
    this.#tell({ version: this.#version, resource, type: before === null ? 'ADDED' : 'MODIFIED', object, before })
  }

  #remove(resource: KubeResource, before: Stored, last: Stored): void {
    const key = keyOf(resource, before.metadata.namespace ?? '', before.metadata.name)
    last.metadata.resourceVersion = String(++this.#version)
    this.#objects.delete(key)
    this.#owners.delete(key)
    this.#tell({ version: this.#version, resource, type: 'DELETED', object: last, before })
  }

  #tell(change: Change): void {
    this.#log.push({ ...change, object: structuredClone(change.object) })
    for (const listener of this.#listeners) listener()
  }
}

export function apiVersionOf({ group, version }: KubeResource): string {
  return group === '' ? version : `${group}/${version}`
}

function keyOf(resource: KubeResource, namespace: string, name: string): string {
  return `${resource.group}/${resource.plural}/${namespace}/${name}`
}

/** Where an object stands in a list. */
export function placeOf({ metadata }: Stored): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function setOrDelete(object: Record<string, unknown>, field: string, value: unknown): void {
  if (value === undefined || value === null) delete object[field]
  else object[field] = structuredClone(value)
}

function now(afterSeconds = 0): string {
  return `${new Date(Date.now() + afterSeconds * 1000).toISOString().slice(0, 19)}Z`
}
