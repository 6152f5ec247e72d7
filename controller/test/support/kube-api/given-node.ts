import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ensureCertificate } from '../../../src/api/tls/certificates.ts'
import { connectCluster } from '../../../src/kube-client/connect.ts'
import type { KubeClient } from '../../../src/kube-client/kube-client.ts'
import { KubeError } from '../../../src/kube-client/kube-error.ts'
import { Reflector } from '../../../src/kube-client/reflector.ts'
import type { Json, JsonObject } from '../../../src/lib/json.ts'
import { CONTAINER, now, phaseOf, specOf } from './fake-kubelet.ts'
import { GivenApi } from './given-cluster.ts'
import type { Stored } from './kube-store.ts'
import type { PodCluster } from './pod-cluster.ts'

/** Under which address the API server reaches this machine, for the logs of pods. */
const ADDRESS = process.env['STATEWARD_TEST_NODE'] || '127.0.0.1'
const HEARTBEAT_MS = 10_000
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' }

/**
 * A node of a real cluster for tests, and a namespace whose pods get onto it by their selector: its kubelet confirms what it is
 * told and runs nothing. Scheduling, quotas, admission, deletion and what belongs to pods are the cluster's own.
 */
export async function openGivenNode(kubeconfig: string): Promise<PodCluster> {
  const name = `stateward-test-${randomBytes(4).toString('hex')}`
  const folder = mkdtempSync(join(tmpdir(), 'stateward-node-'))
  const api = await new GivenApi(kubeconfig).start()
  const client = await connectCluster({ kubeconfig, context: null })
  const kubelet = new Kubelet(client, name)
  const port = await kubelet.listen(folder)
  await client.request({
    ...{ method: 'POST', path: '/api/v1/namespaces' },
    body: { metadata: { name, labels: RESTRICTED } },
  })
  await client.request({
    ...{ method: 'POST', path: '/api/v1/nodes' },
    body: { metadata: { name, labels: { 'stateward.dev/test-node': name } } },
  })
  await kubelet.report(port)
  const beat = setInterval(() => void kubelet.report(port).catch(() => {}), HEARTBEAT_MS)
  await accountsOf(client, name)
  await kubelet.start()
  const items = async (plural: string) =>
    ((await client.request({ path: `/api/v1/namespaces/${name}/${plural}` })) as { items: Stored[] }).items
  return {
    namespace: name,
    nodeSelector: { 'stateward.dev/test-node': name },
    kubeconfig: () => api.kubeconfig(),
    asked: api.asked,
    pods: () => items('pods'),
    secrets: () => items('secrets'),
    environment: (pod) => kubelet.environment(pod),
    exit: (pod, exitCode) => kubelet.exit(pod, exitCode),
    print: (pod, ...lines) => kubelet.print(pod, lines),
    cutLogs: () => kubelet.cutLogs(),
    async setRoom(hasRoom) {
      await kubelet.patch(`/api/v1/nodes/${name}`, { spec: { unschedulable: !hasRoom } })
    },
    ignoreTerm(ignores) {
      kubelet.ignoresTerm = ignores
      kubelet.work()
    },
    remove: (pod) => kubelet.confirm(pod),
    async refusePods(refuses) {
      const path = `/api/v1/namespaces/${name}/resourcequotas`
      const quota = { metadata: { name: 'robots' }, spec: { hard: { pods: '0' } } }
      if (refuses) await client.request({ method: 'POST', path, body: quota })
      else await client.request({ method: 'DELETE', path: `${path}/robots` }).catch(ignoreMissing)
    },
    leave: () => api.stop(),
    comeBack: () => api.start(),
    async end() {
      clearInterval(beat)
      await kubelet.close()
      for (const path of [`/api/v1/namespaces/${name}`, `/api/v1/nodes/${name}`])
        await client.request({ method: 'DELETE', path })
      client.close()
      await api.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** What is gone, or another than it was. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof KubeError) || !['notFound', 'conflict'].includes(error.failure)) throw error
}

/** Pods are refused until the namespace has its account. */
async function accountsOf(client: KubeClient, namespace: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const found = await client
      .request({ path: `/api/v1/namespaces/${namespace}/serviceaccounts/default` })
      .catch(() => null)
    if (found !== null) return
    await delay(100)
  }
  throw new Error(`namespace ${namespace} was given no account`)
}

class Kubelet {
  ignoresTerm = false
  readonly #client: KubeClient
  readonly #node: string
  readonly #pods: Reflector<Stored & { readonly metadata: Stored['metadata'] }>
  readonly #printed = new Map<string, { readonly lines: string[]; readonly followers: Set<ServerResponse> }>()
  readonly #working = new Set<string>()
  #server: ReturnType<typeof createServer> | null = null
  #second = 0

  constructor(client: KubeClient, node: string) {
    this.#client = client
    this.#node = node
    this.#pods = new Reflector({
      ...{ client, path: `/api/v1/namespaces/${node}/pods`, random: () => 0.5 },
      onChange: () => this.work(),
      monotonicMs: () => performance.now(),
    })
  }

  async listen(folder: string): Promise<number> {
    const { cert, key } = await ensureCertificate(folder, ['127.0.0.1'], new Date())
    const server = createServer({ cert, key }, ({ url }, response) =>
      this.#log(new URL(url ?? '/', 'https://x'), response),
    )
    server.listen(0, ADDRESS)
    await once(server, 'listening')
    this.#server = server
    return (server.address() as AddressInfo).port
  }

  async start(): Promise<void> {
    this.#pods.start()
  }

  async close(): Promise<void> {
    await this.#pods.stop()
    this.cutLogs()
    this.#server?.closeAllConnections()
    this.#server?.close()
  }

  patch(path: string, body: JsonObject): Promise<unknown> {
    return this.#client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })
  }

  /** Tells that the node lives, and what it has. */
  async report(port: number): Promise<void> {
    const room = { cpu: '64', memory: '256Gi', pods: '500' }
    const time = now()
    await this.patch(`/api/v1/nodes/${this.#node}/status`, {
      status: {
        ...{ capacity: room, allocatable: room },
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'KubeletReady',
            message: 'a node of a test',
            lastHeartbeatTime: time,
          },
        ],
        addresses: [{ type: 'InternalIP', address: ADDRESS }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    })
  }

  work(): void {
    for (const pod of this.#pods.objects?.values() ?? []) void this.#moveOn(pod)
  }

  async environment(pod: Stored): Promise<Record<string, string>> {
    const { env = [] } = specOf(pod).containers[0]!
    const found: Record<string, string> = {}
    for (const { name, value, valueFrom } of env) {
      found[name] = value ?? ''
      if (valueFrom === undefined) continue
      const { data } = (await this.#secret(valueFrom.secretKeyRef.name)) as { readonly data: Record<string, string> }
      found[name] = Buffer.from(data[valueFrom.secretKeyRef.key]!, 'base64').toString('utf8')
    }
    return found
  }

  async exit(pod: Stored, exitCode: number): Promise<void> {
    const terminated = {
      ...{ exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: now(), finishedAt: now() },
    }
    await this.#setStatus(pod, {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      containerStatuses: [{ ...CONTAINER, ready: false, state: { terminated } }],
    })
    for (const follower of this.#logOf(pod.metadata.uid).followers) follower.end()
  }

  print(pod: Stored, lines: readonly string[]): void {
    const { lines: all, followers } = this.#logOf(pod.metadata.uid)
    for (const line of lines) {
      const time = new Date(Date.UTC(2026, 0, 1, 0, 0, this.#second++)).toISOString().replace('.000Z', '.000000001Z')
      all.push(`${time} ${line}`)
      for (const follower of followers) follower.write(`${time} ${line}\n`)
    }
  }

  cutLogs(): void {
    for (const { followers } of this.#printed.values()) for (const follower of followers) follower.destroy()
  }

  /** Nothing of it runs any more: it goes. */
  async confirm({ metadata }: Stored): Promise<void> {
    await this.#client.request({
      ...{ method: 'DELETE', path: this.#pathOf(metadata.name) },
      body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } },
    })
  }

  #pathOf(name: string): string {
    return `/api/v1/namespaces/${this.#node}/pods/${name}`
  }

  #secret(name: string): Promise<unknown> {
    return this.#client.request({ path: `/api/v1/namespaces/${this.#node}/secrets/${name}` })
  }

  /** One step at a time for each pod; the watch tells when there is another to take. */
  async #moveOn(pod: Stored): Promise<void> {
    const { uid, deletionTimestamp } = pod.metadata
    const phase = phaseOf(pod)
    if ((pod.spec as { nodeName?: string }).nodeName !== this.#node || this.#working.has(uid)) return
    if (deletionTimestamp === undefined && phase !== 'waiting') return
    if (deletionTimestamp !== undefined && phase === 'running' && this.ignoresTerm) return
    this.#working.add(uid)
    try {
      if (deletionTimestamp === undefined) await this.#run(pod)
      else if (phase === 'running') await this.exit(pod, 143)
      else await this.confirm(pod)
    } catch (error) {
      // Another than it was: the watch tells.
      ignoreMissing(error)
    } finally {
      this.#working.delete(uid)
    }
    const after = this.#pods.objects?.get(`${this.#node}/${pod.metadata.name}`)
    if (after !== undefined && after !== pod) void this.#moveOn(after)
  }

  async #run(pod: Stored): Promise<void> {
    const wanted = (specOf(pod).containers[0]!.env ?? []).find(({ valueFrom }) => valueFrom !== undefined)
    // It is made just after its pod: the kubelet waits.
    while (wanted !== undefined) {
      if ((await this.#secret(wanted.valueFrom!.secretKeyRef.name).catch(() => null)) !== null) break
      await this.#client.request({ path: this.#pathOf(pod.metadata.name) })
      await delay(50)
    }
    await this.#setStatus(pod, {
      ...{ phase: 'Running', startTime: now() },
      containerStatuses: [{ ...CONTAINER, state: { running: { startedAt: now() } } }],
    })
  }

  async #setStatus({ metadata }: Stored, status: object): Promise<void> {
    await this.patch(`${this.#pathOf(metadata.name)}/status`, {
      ...{ metadata: { uid: metadata.uid }, status: status as Json },
    } as JsonObject)
  }

  #logOf(uid: string) {
    const log = this.#printed.get(uid) ?? { lines: [], followers: new Set<ServerResponse>() }
    this.#printed.set(uid, log)
    return log
  }

  /** As the API server asks a kubelet: `/containerLogs/<namespace>/<pod>/<container>`. */
  #log({ pathname, searchParams }: URL, response: ServerResponse): void {
    const name = pathname.split('/')[3] ?? ''
    const pod = this.#pods.objects?.get(`${this.#node}/${name}`)
    if (pod === undefined) return void response.writeHead(404).end()
    const { lines, followers } = this.#logOf(pod.metadata.uid)
    const since = searchParams.get('sinceTime')
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.flushHeaders()
    for (const line of lines) if (since === null || line.slice(0, 19) >= since.slice(0, 19)) response.write(`${line}\n`)
    if (phaseOf(pod) === 'terminated' || searchParams.get('follow') !== 'true') return void response.end()
    followers.add(response)
    response.once('close', () => followers.delete(response))
  }
}
