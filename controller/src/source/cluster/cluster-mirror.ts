import { API_VERSION, type KindDefinition } from '../../kinds/definition.ts'
import { KINDS } from '../../kinds/registry.ts'
import { keyOf, type ObjectKey, refOf } from '../../kinds/resource.ts'
import type { KubeClient } from '../../kube-client/kube-client.ts'
import { KubeError, toClusterError } from '../../kube-client/kube-error.ts'
import { Reflector } from '../../kube-client/reflector.ts'
import type { KubeObject } from '../../kube-client/watch-lines.ts'
import type { Clock } from '../../lib/clock.ts'

export interface ClusterMirrorOptions {
  readonly client: KubeClient
  /** Whose resources are read, of kinds that have a namespace; empty = all. */
  readonly namespaces: readonly string[]
  readonly clock: Clock
  readonly random: () => number
}

/** A custom resource is another than before; null = any of the kind may be: its list was read anew, or the server went or came. */
type Listener = (key: ObjectKey | null, kind: string) => void

/** The custom resources of all kinds as an API server has them, kept by watching. While it is away they stay as they were. */
export class ClusterMirror {
  readonly client: KubeClient
  readonly #watched: readonly { readonly kind: KindDefinition; readonly of: Reflector }[]
  readonly #byKind: ReadonlyMap<string, readonly Reflector[]>
  readonly #listeners = new Set<Listener>()

  constructor({ client, namespaces, clock, random }: ClusterMirrorOptions) {
    this.client = client
    this.#watched = KINDS.flatMap((kind) => {
      const places = kind.scope === 'Cluster' || namespaces.length === 0 ? [null] : namespaces
      return places.map((namespace) => ({
        kind,
        of: new Reflector({
          client,
          path: listPath(kind, namespace),
          onChange: ({ object }) => this.#tell(object === null ? null : keyOfObject(kind, object), kind.kind),
          monotonicMs: () => clock.monotonicMs(),
          random,
        }),
      }))
    })
    const byKind = Map.groupBy(this.#watched, ({ kind }) => kind.kind)
    this.#byKind = new Map([...byKind].map(([kind, all]) => [kind, all.map(({ of }) => of)]))
  }

  start(): void {
    for (const { of } of this.#watched) of.start()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#watched.map(({ of }) => of.stop()))
    this.client.close()
  }

  /** Everything was listed once. */
  get isComplete(): boolean {
    return this.#watched.every(({ of }) => of.objects !== null)
  }

  /** Why this may not be what the server has now. */
  get problem(): KubeError | null {
    return this.#watched.find(({ of }) => of.problem !== null)?.of.problem ?? null
  }

  /** The server does not answer for the kind: what is asked of it now is in vain. When it does again, that is a change of the kind. */
  isAway(kind: string): boolean {
    return (this.#byKind.get(kind) ?? []).some(({ problem }) => problem?.failure === 'unreachable')
  }

  /** Resolves once everything was listed; throws what keeps it from that after `timeoutMs`. */
  async complete(timeoutMs: number): Promise<void> {
    if (this.isComplete) return
    let timer: NodeJS.Timeout | undefined
    let unsubscribe = (): void => {}
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
      unsubscribe = this.subscribe(() => {
        if (this.isComplete || this.problem !== null) resolve()
      })
      if (this.problem !== null) resolve()
    })
    clearTimeout(timer)
    unsubscribe()
    if (this.isComplete) return
    throw toClusterError(
      this.problem ??
        new KubeError({ status: 0 }, `${this.client.server} has not told what it has within ${timeoutMs} ms`),
    )
  }

  *objects(): Iterable<{ readonly key: ObjectKey; readonly kind: KindDefinition; readonly object: KubeObject }> {
    for (const { kind, of } of this.#watched)
      for (const object of of.objects?.values() ?? []) yield { key: keyOfObject(kind, object), kind, object }
  }

  get(key: ObjectKey): KubeObject | undefined {
    const { kind, namespace, name } = refOf(key)
    for (const reflector of this.#byKind.get(kind) ?? []) {
      const found = reflector.objects?.get(`${namespace}/${name}`)
      if (found !== undefined) return found
    }
    return undefined
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(key: ObjectKey | null, kind: string): void {
    for (const listener of this.#listeners) listener(key, kind)
  }
}

function listPath({ plural }: KindDefinition, namespace: string | null): string {
  return `/apis/${API_VERSION}/${namespace === null ? '' : `namespaces/${encodeURIComponent(namespace)}/`}${plural}`
}

/** Where one custom resource is. */
export function resourcePath(kind: KindDefinition, { metadata }: KubeObject): string {
  const list = listPath(kind, kind.scope === 'Cluster' ? null : (metadata.namespace ?? 'default'))
  return `${list}/${encodeURIComponent(metadata.name)}`
}

function keyOfObject(kind: KindDefinition, { metadata }: KubeObject): ObjectKey {
  const namespace = kind.scope === 'Cluster' ? '' : (metadata.namespace ?? 'default')
  return keyOf({ kind: kind.kind, namespace, name: metadata.name })
}
