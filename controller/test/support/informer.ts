import {
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  Watch,
} from '@kubernetes/client-node'

const PATH = '/apis/stateward.dev/v1alpha1/agents'
/** A client waits a little before it connects again. */
const AGAIN_MS = 50

export interface Seen {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly name: string
  readonly version: number
}

/** An informer of client-node on the agents of a façade, as anybody writes it, and all that it was sent. */
export interface ObservedInformer {
  /** Lines of its watches, in order. */
  readonly seen: readonly Seen[]
  /** How often it was told that its version is too old. */
  readonly expired: number
  /** How often it listed everything. */
  readonly lists: number
  /** Names and versions it holds. */
  held(): ReadonlyMap<string, number>
  /** What its callbacks told: added, updated and deleted names. */
  readonly told: { readonly add: string[]; readonly update: string[]; readonly delete: string[] }
  stop(): Promise<void>
}

export async function startInformer(url: string): Promise<ObservedInformer> {
  const config = new KubeConfig()
  config.loadFromClusterAndUser({ name: 'facade', server: `${url}/kube`, skipTLSVerify: true }, { name: 'nobody' })
  const seen: Seen[] = []
  const told = { add: [] as string[], update: [] as string[], delete: [] as string[] }
  let [expired, lists, stopped] = [0, 0, false]
  const plain = new Watch(config)
  const recording = Object.assign(Object.create(plain) as Watch, {
    watch: (...[path, query, handle, done]: Parameters<Watch['watch']>) =>
      plain.watch(
        path,
        query,
        (phase: string, object: KubernetesObject & { code?: number }, watched?: unknown) => {
          if (phase === 'ERROR' && object.code === 410) expired += 1
          if (phase === 'ADDED' || phase === 'MODIFIED' || phase === 'DELETED')
            seen.push({ type: phase, name: object.metadata!.name!, version: Number(object.metadata!.resourceVersion) })
          handle(phase, object, watched)
        },
        done,
      ),
  })
  const list = async (): Promise<KubernetesListObject<KubernetesObject>> => {
    lists += 1
    const response = await fetch(`${url}/kube${PATH}`)
    if (!response.ok) throw new Error(`listing failed: ${response.status}`)
    return (await response.json()) as KubernetesListObject<KubernetesObject>
  }
  const informer = makeInformer(config, PATH, list)
  // What makes the watch is no part of what makeInformer takes.
  Object.assign(informer, { watch: recording })
  for (const verb of ['add', 'update', 'delete'] as const)
    informer.on(verb, (object) => void told[verb].push(object.metadata!.name!))
  informer.on('error', () => {
    if (!stopped) setTimeout(() => void (stopped || informer.start()), AGAIN_MS)
  })
  await informer.start()
  return {
    seen,
    told,
    get expired() {
      return expired
    },
    get lists() {
      return lists
    },
    held: () => new Map(informer.list().map(({ metadata }) => [metadata!.name!, Number(metadata!.resourceVersion)])),
    async stop() {
      stopped = true
      await informer.stop()
    },
  }
}
