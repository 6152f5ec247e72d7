import type { V1Pod, V1Secret } from '@kubernetes/client-node'
import type { KubeClient } from '../../../kube-client/kube-client.ts'
import { KubeError } from '../../../kube-client/kube-error.ts'
import type { Json } from '../../../lib/json.ts'
import { ownedBy } from './pod-manifest.ts'
import { CONTAINER, INSTANCE_LABEL, RESULT_CONTAINER } from './pod-request.ts'
import type { SeenPod } from './pod-state.ts'

/** Requests about the pods of one namespace. All of them throw KubeError. */
export class PodsApi {
  readonly client: KubeClient
  readonly namespace: string

  constructor(client: KubeClient, namespace: string) {
    this.client = client
    this.namespace = namespace
  }

  get #secrets(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.namespace)}/secrets`
  }

  get path(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.namespace)}/pods`
  }

  /**
   * Creates a pod and then the Secret that is its own; returns its uid. Sent again after an answer that got lost, it finds what
   * it made. When the cluster refuses the Secret, the pod is deleted again: without it nothing of it runs. After a failure of
   * another kind nobody knows what is there ({@link isRefusal}).
   */
  async create(pod: V1Pod, secret: V1Secret): Promise<string> {
    const name = pod.metadata!.name!
    const { uid } = await this.#createOrFind(pod, name)
    try {
      await this.client.request({
        method: 'POST',
        path: this.#secrets,
        body: ownedBy(secret, { name, uid }) as unknown as Json,
      })
    } catch (error) {
      if (error instanceof KubeError && error.failure === 'alreadyExists') return uid
      if (isRefusal(error)) await this.delete(name, 1).catch(() => {})
      throw error
    }
    return uid
  }

  /** Whether a Secret of that name is there. It cannot be read: making it without an effect tells. */
  async hasSecret(name: string): Promise<boolean> {
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: this.namespace }, type: 'Opaque' }
    try {
      await this.client.request({ method: 'POST', path: this.#secrets, query: { dryRun: 'All' }, body })
      return false
    } catch (error) {
      if (error instanceof KubeError && error.failure === 'alreadyExists') return true
      throw error
    }
  }

  async #createOrFind(pod: V1Pod, name: string): Promise<{ readonly uid: string }> {
    try {
      const made = await this.client.request({ method: 'POST', path: this.path, body: pod as unknown as Json })
      return (made as SeenPod).metadata
    } catch (error) {
      if (!(error instanceof KubeError) || error.failure !== 'alreadyExists') throw error
      const found = await this.find(name, pod.metadata?.labels?.[INSTANCE_LABEL] ?? '')
      if (found !== null) return found.metadata
      throw error
    }
  }

  /** The pod of that name, if it is the instance's. */
  async find(name: string, instanceId: string): Promise<SeenPod | null> {
    try {
      const found = (await this.client.request({ path: `${this.path}/${name}` })) as SeenPod
      return found.metadata.labels?.[INSTANCE_LABEL] === instanceId ? found : null
    } catch (error) {
      if (error instanceof KubeError && error.failure === 'notFound') return null
      throw error
    }
  }

  /** TERM now, KILL after the grace; its node confirms the end. Nothing happens when it is gone. */
  async delete(name: string, graceSeconds: number): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: graceSeconds }
    try {
      await this.client.request({ method: 'DELETE', path: `${this.path}/${name}`, body })
    } catch (error) {
      if (!(error instanceof KubeError) || error.failure !== 'notFound') throw error
    }
  }

  /** What its container prints from then on, each line behind its time; it ends when the container does. */
  async log(name: string, since: string | null, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const query = { container: CONTAINER, follow: true, timestamps: true, sinceTime: since ?? undefined }
    return this.client.stream({ path: `${this.path}/${name}/log`, query, signal })
  }
  /** What the command of a task printed, at most `maxBytes` of it. */
  async result(name: string, maxBytes: number): Promise<Buffer> {
    const query = { container: RESULT_CONTAINER, limitBytes: maxBytes }
    const parts: Buffer[] = []
    for await (const part of await this.client.stream({ path: `${this.path}/${name}/log`, query }))
      parts.push(part as Buffer)
    return Buffer.concat(parts).subarray(0, maxBytes)
  }
}

/** The cluster said no, so nothing was made. Anything else may have been done although no answer came. */
export function isRefusal(error: unknown): boolean {
  return error instanceof KubeError && error.status >= 400 && error.status < 500
}
