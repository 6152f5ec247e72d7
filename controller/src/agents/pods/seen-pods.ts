import type { KubeClient } from '../../kube-client/kube-client.ts'
import { Reflector } from '../../kube-client/reflector.ts'
import type { KubeObject } from '../../kube-client/watch-lines.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { PodsContext } from '../context.ts'
import type { Obstacle } from '../observation.ts'
import { POD_SELECTOR } from '../runtimes/pod/pod-request.ts'
import { instanceOf, type PodEnd, podState, type SeenPod } from '../runtimes/pod/pod-state.ts'
import { PodsApi } from '../runtimes/pod/pods-api.ts'

type Pod = SeenPod & KubeObject

/** The agents' pods of the namespace, as the cluster tells of them. */
export class SeenPods {
  readonly #context: PodsContext
  readonly #monotonicMs: () => number
  /** A pod is another than before; null: all may be, or the cluster is away or back. */
  readonly #changed: (pod: SeenPod | null) => void
  #connected: { readonly api: PodsApi; readonly reflector: Reflector<Pod> } | null = null
  #failure: string | null = null
  /** How pods ended, as the cluster told last: the node takes a pod away as soon as it has confirmed its end. */
  readonly #ends = new Map<string, PodEnd>()

  constructor(
    context: PodsContext,
    parts: { readonly monotonicMs: () => number; readonly changed: (pod: SeenPod | null) => void },
  ) {
    this.#context = context
    this.#monotonicMs = parts.monotonicMs
    this.#changed = parts.changed
  }

  /** Begins to listen. What keeps it from that is {@link trouble}; asked again, it tries again. */
  async start(): Promise<void> {
    if (this.#connected !== null) return
    let client: KubeClient
    try {
      client = await this.#context.connect()
    } catch (error) {
      this.#failure = errorMessage(error)
      return
    }
    const api = new PodsApi(client, this.#context.namespace)
    const reflector = new Reflector<Pod>({
      client,
      path: api.path,
      query: { labelSelector: POD_SELECTOR, fieldSelector: undefined },
      onChange: ({ object }) => this.#noticed(object),
      monotonicMs: this.#monotonicMs,
      random: Math.random,
    })
    this.#connected = { api, reflector }
    this.#failure = null
    reflector.start()
  }

  #noticed(pod: Pod | null): void {
    for (const one of pod === null ? this.all() : [pod]) {
      const state = podState(one)
      if (state.type === 'ended') this.#ends.set(instanceOf(one) ?? '', state)
    }
    this.#changed(pod)
  }

  async stop(): Promise<void> {
    await this.#connected?.reflector.stop()
    this.#connected?.api.client.close()
    this.#connected = null
  }

  /** Why nothing can be said of pods, or done about them, at this moment; null = it can. */
  trouble(): Obstacle | null {
    const { reflector } = this.#connected ?? {}
    const problem = this.#failure ?? reflector?.problem?.message ?? null
    if (problem !== null) return { reason: 'NoHost', message: `the cluster cannot be asked for pods: ${problem}` }
    if (reflector?.objects == null) return { reason: 'NoHost', message: 'the cluster has not been asked for pods yet' }
    return null
  }

  /** Only without {@link trouble}. */
  get api(): PodsApi {
    return this.#connected!.api
  }

  all(): SeenPod[] {
    return [...(this.#connected?.reflector.objects?.values() ?? [])]
  }

  /** Whether the container of its program has been started, also one that has ended. */
  hasStarted(name: string): boolean {
    const { reflector, api } = this.#connected ?? {}
    const pod = reflector?.objects?.get(`${api?.namespace}/${name}`)
    return pod !== undefined && podState(pod).type !== 'waiting'
  }

  of(instanceId: string): SeenPod | null {
    return this.all().find((pod) => instanceOf(pod) === instanceId) ?? null
  }

  /** How the pod of an instance ended, also when it is gone; null = nobody saw it. */
  endOf(instanceId: string): PodEnd | null {
    return this.#ends.get(instanceId) ?? null
  }

  /** Its end is recorded. */
  forgetEnd(instanceId: string): void {
    this.#ends.delete(instanceId)
  }
}
