import type { ServerResponse } from 'node:http'
import { Pod, Secret } from 'kubernetes-models/v1'
import { isObject, type JsonObject } from '../../../src/lib/json.ts'
import { type Asked, KubeApiServer } from './kube-api-server.ts'
import { type Cause, resource } from './kube-resource.ts'
import type { Stored } from './kube-store.ts'

/** Until the node says that nothing runs any more, a pod that was deleted is still there. */
const HOLD = 'test/kubelet'

const PODS = resource('', 'v1', 'Pod', 'pods', { hasStatus: true, problems: podProblems })
const SECRETS = resource('', 'v1', 'Secret', 'secrets', { problems: (object) => problemsOf(Secret, object) })

interface PodSpec {
  readonly automountServiceAccountToken?: boolean
  readonly securityContext?: JsonObject
  readonly containers: readonly {
    readonly image: string
    readonly securityContext?: JsonObject
    readonly env?: readonly {
      readonly name: string
      readonly value?: string
      readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
    }[]
  }[]
}

/**
 * A cluster with one node for tests: an API server with pods and Secrets, and a kubelet that moves pods through their phases and
 * runs nothing. What a program would do, the test does: it ends it with an exit code, and prints for it. It demands the
 * `restricted` pod security standard, waits for Secrets, confirms deletions, and collects what belongs to a pod that went.
 */
export class FakeCluster {
  readonly server: KubeApiServer
  /** Off: pods wait, as when no node has room. */
  hasRoom = true
  /** On: a program that is asked to end does not. */
  ignoresTerm = false
  readonly #printed = new Map<string, { readonly lines: string[]; readonly followers: Set<ServerResponse> }>()
  #second = 0

  constructor() {
    this.server = new KubeApiServer({
      resources: [PODS, SECRETS],
      serve: (asked, response) => this.#serve(asked, response),
    })
    this.server.store.listen(() => queueMicrotask(() => this.#work()))
  }

  async start(): Promise<this> {
    await this.server.start()
    return this
  }

  pods(namespace: string): readonly Stored[] {
    return this.server.store.list(PODS, namespace)
  }

  secrets(namespace: string): readonly Stored[] {
    return this.server.store.list(SECRETS, namespace)
  }

  /** Whether pods get onto the node. */
  setRoom(hasRoom: boolean): void {
    this.hasRoom = hasRoom
    this.server.store.advance(1)
    this.#work()
  }

  /** What the program of a pod finds in its environment, as its kubelet puts it together. */
  environment(pod: Stored): Record<string, string> {
    const { env = [] } = specOf(pod).containers[0]!
    return Object.fromEntries(
      env.map(({ name, value, valueFrom }) => {
        if (valueFrom === undefined) return [name, value ?? '']
        const secret = this.server.store.find(SECRETS, pod.metadata.namespace!, valueFrom.secretKeyRef.name)
        const data = secret['stringData'] as Record<string, string>
        return [name, data[valueFrom.secretKeyRef.key]!]
      }),
    )
  }

  /** The program of a pod ends by itself. */
  exit(pod: Stored, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void {
    this.#terminate(this.#now(pod)!, { exitCode, reason })
  }

  print(pod: Stored, ...lines: string[]): void {
    const { lines: all, followers } = this.#logOf(pod.metadata.uid)
    for (const line of lines) {
      const stamped = `${new Date(Date.UTC(2026, 0, 1, 0, 0, this.#second++)).toISOString().replace('.000Z', '.000000001Z')} ${line}`
      all.push(stamped)
      for (const follower of followers) follower.write(`${stamped}\n`)
    }
  }

  /** The streams of logs break off. */
  cutLogs(): void {
    for (const { followers } of this.#printed.values()) for (const follower of followers) follower.destroy()
  }

  #now({ metadata }: Stored): Stored | null {
    return this.server.store.get(PODS, metadata.namespace!, metadata.name)
  }

  #work(): void {
    for (const pod of this.server.store.list(PODS, null)) this.#moveOn(pod)
  }

  #moveOn(pod: Stored): void {
    const { store } = this.server
    const { deletionTimestamp, finalizers = [], namespace, name } = pod.metadata
    const state = phaseOf(pod)
    if (deletionTimestamp === undefined && !finalizers.includes(HOLD) && state !== 'terminated') {
      const held = structuredClone(pod)
      held.metadata.finalizers = [...finalizers, HOLD]
      store.update(PODS, pod, held, 'all')
    } else if (deletionTimestamp !== undefined && state === 'running' && !this.ignoresTerm) {
      this.#terminate(pod, { exitCode: 143, reason: 'Error' })
    } else if (deletionTimestamp !== undefined && state !== 'running' && finalizers.includes(HOLD)) {
      for (const follower of this.#logOf(pod.metadata.uid).followers) follower.end()
      const freed = structuredClone(pod)
      freed.metadata.finalizers = finalizers.filter((one) => one !== HOLD)
      store.update(PODS, pod, freed, 'all')
      this.#collect(namespace!, pod.metadata.uid)
    } else if (deletionTimestamp === undefined && state === 'waiting') {
      const wanted = (specOf(pod).containers[0]!.env ?? []).find(({ valueFrom }) => valueFrom !== undefined)
      const secret = wanted === undefined ? null : store.get(SECRETS, namespace!, wanted.valueFrom!.secretKeyRef.name)
      if (!this.hasRoom) this.#setStatus(pod, UNSCHEDULABLE)
      else if (wanted !== undefined && secret === null)
        this.#setStatus(pod, waiting('CreateContainerConfigError', `secret "${name}" not found`))
      else this.#setStatus(pod, running())
    }
  }

  #terminate(pod: Stored, end: { readonly exitCode: number; readonly reason: string }): void {
    const terminated = { ...end, startedAt: now(), finishedAt: now() }
    this.#setStatus(pod, {
      phase: end.exitCode === 0 ? 'Succeeded' : 'Failed',
      containerStatuses: [{ ...CONTAINER, state: { terminated } }],
    })
    for (const follower of this.#logOf(pod.metadata.uid).followers) follower.end()
  }

  #setStatus(pod: Stored, status: object): void {
    this.server.store.update(PODS, pod, { ...pod, status: status as JsonObject }, 'status')
  }

  #collect(namespace: string, owner: string): void {
    for (const secret of this.secrets(namespace))
      if (secret.metadata.ownerReferences?.some(({ uid }) => uid === owner)) this.server.store.delete(SECRETS, secret)
  }

  #logOf(uid: string) {
    const log = this.#printed.get(uid) ?? { lines: [], followers: new Set<ServerResponse>() }
    this.#printed.set(uid, log)
    return log
  }

  #serve({ path, query }: Asked, response: ServerResponse): boolean {
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/.exec(path) ?? []
    if (namespace === undefined) return false
    const pod = this.server.store.find(PODS, namespace, name!)
    if (!this.hasRoom && phaseOf(pod) === 'waiting') {
      // Nobody knows of a node to ask.
      response.writeHead(204).end()
      return true
    }
    if (phaseOf(pod) === 'waiting') {
      const body = { kind: 'Status', status: 'Failure', reason: 'BadRequest', message: 'ContainerCreating', code: 400 }
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      return true
    }
    const { lines, followers } = this.#logOf(pod.metadata.uid)
    const since = query.get('sinceTime')
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.flushHeaders()
    for (const line of lines) if (since === null || line.slice(0, 19) >= since.slice(0, 19)) response.write(`${line}\n`)
    if (phaseOf(pod) === 'terminated' || query.get('follow') !== 'true') response.end()
    else {
      followers.add(response)
      response.once('close', () => followers.delete(response))
    }
    return true
  }
}

export const CONTAINER = { name: 'agent', image: 'x', imageID: 'x', ready: true, restartCount: 0 }
const UNSCHEDULABLE = {
  phase: 'Pending',
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient cpu.',
    },
  ],
}

function waiting(reason: string, message: string) {
  return {
    phase: 'Pending',
    containerStatuses: [{ ...CONTAINER, ready: false, state: { waiting: { reason, message } } }],
  }
}

function running() {
  return { phase: 'Running', containerStatuses: [{ ...CONTAINER, state: { running: { startedAt: now() } } }] }
}

export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`
}

export function specOf(pod: Stored): PodSpec {
  return pod.spec as unknown as PodSpec
}

export function phaseOf({ status }: Stored): 'waiting' | 'running' | 'terminated' {
  if (status?.['phase'] === 'Succeeded' || status?.['phase'] === 'Failed') return 'terminated'
  return status?.['phase'] === 'Running' ? 'running' : 'waiting'
}

function problemsOf(model: new (data: never) => { validate(): void }, object: unknown): readonly Cause[] {
  const { status: _status, ...sent } = object as Record<string, unknown>
  try {
    new model(sent as never).validate()
    return []
  } catch (error) {
    return [{ field: '', message: String(error) }]
  }
}

/** The schema of Kubernetes, and the strictest pod security standard. */
function podProblems(object: unknown): readonly Cause[] {
  const problems = [...problemsOf(Pod, object)]
  if (!isObject(object) || !isObject(object['spec'])) return problems
  const { containers, securityContext = {} } = object['spec'] as unknown as PodSpec
  const demand = (fits: boolean, field: string) => {
    if (!fits) problems.push({ field, message: 'violates PodSecurity "restricted:latest"' })
  }
  demand(securityContext['runAsNonRoot'] === true, 'spec.securityContext.runAsNonRoot')
  demand(securityContext['runAsUser'] !== 0, 'spec.securityContext.runAsUser')
  demand(isObject(securityContext['seccompProfile']), 'spec.securityContext.seccompProfile')
  for (const container of containers) {
    const { allowPrivilegeEscalation, capabilities } = container.securityContext ?? {}
    demand(allowPrivilegeEscalation === false, 'spec.containers[0].securityContext.allowPrivilegeEscalation')
    const dropped = isObject(capabilities) ? JSON.stringify(capabilities['drop']) : ''
    demand(dropped === '["ALL"]', 'spec.containers[0].securityContext.capabilities')
  }
  return problems
}
