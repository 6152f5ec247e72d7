import type { ObjectKey } from '../../kinds/resource.ts'
import type { KubeObject } from '../../kube-client/watch-lines.ts'
import { digestOf } from '../../lib/digest.ts'
import { type ClusterDocument, clusterDocument } from './cluster-document.ts'
import type { ClusterMirror } from './cluster-mirror.ts'

/** By path. */
export type Documents = ReadonlyMap<string, ClusterDocument>

/** All documents at one moment; `tree` is the same whenever they are. */
export interface Tree {
  readonly tree: string
  readonly documents: Documents
}

interface Known {
  readonly object: KubeObject
  readonly document: ClusterDocument
}

/**
 * What the custom resources of a cluster say is wanted. A resource is read again only when it is another object than before, and nothing is
 * news but what is wanted: a status that was written, by this process or by anybody, is none.
 */
export class ClusterDocuments {
  readonly #mirror: Pick<ClusterMirror, 'objects' | 'get'>
  readonly #listeners = new Set<() => void>()
  readonly #unsubscribe: () => void
  #known = new Map<ObjectKey, Known>()
  /** Any of them may be another by now. */
  #isStale = true
  #current: Tree | null = null

  constructor(mirror: Pick<ClusterMirror, 'objects' | 'get' | 'subscribe'>) {
    this.#mirror = mirror
    this.#unsubscribe = mirror.subscribe((key) => {
      if (key === null) this.#isStale = true
      else if (!this.#isStale && !lookAt(this.#known, key, mirror.get(key))) return
      this.#current = null
      for (const listener of this.#listeners) listener()
    })
  }

  get current(): Tree {
    if (this.#isStale) this.#lookAtAll()
    if (this.#current === null) {
      const all = [...this.#known.values()].map(({ document }) => document).sort((a, b) => (a.path < b.path ? -1 : 1))
      const tree = `cluster@${digestOf(all.map(({ path, oid }) => [path, oid])).slice(0, 40)}`
      this.#current = { tree, documents: new Map(all.map((document) => [document.path, document])) }
    }
    return this.#current
  }

  /** Tells that {@link current} may be another. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#unsubscribe()
  }

  #lookAtAll(): void {
    const all = new Map<ObjectKey, Known>()
    for (const { key, object } of this.#mirror.objects()) {
      const before = this.#known.get(key)
      if (before !== undefined) all.set(key, before)
      lookAt(all, key, object)
    }
    this.#known = all
    this.#isStale = false
  }
}

/** True when what is wanted is another than before. One that is being deleted is not wanted any more. */
function lookAt(known: Map<ObjectKey, Known>, key: ObjectKey, object: KubeObject | undefined): boolean {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return known.delete(key)
  const before = known.get(key)
  if (before?.object === object) return false
  const document = clusterDocument(key, object)
  const isSame = before?.document.oid === document.oid
  known.set(key, { object, document: isSame ? before.document : document })
  return !isSame
}
