import type { ServerResponse } from 'node:http'
import { Pod, Secret } from 'kubernetes-models/v1'
import { isObject, type JsonObject } from '../../../src/lib/json.ts'
import { type Asked, KubeApiServer } from './kube-api-server.ts'
import { type Cause, resource } from './kube-resource.ts'
import type { Stored } from './kube-store.ts'
import { type ContainerSpec, PodPrograms } from './pod-programs.ts'

/** Until the node says that nothing runs any more, a pod that was deleted is still there. */
const HOLD = 'test/kubelet'

const PODS = resource('', 'v1', 'Pod', 'pods', { hasStatus: true, problems: podProblems })
const SECRETS = resource('', 'v1', 'Secret', 'secrets', { problems: (object) => problemsOf(Secret, object) })

interface PodSpec {
  readonly securityContext?: JsonObject
  readonly initContainers?: readonly ContainerSpec[]
  readonly containers: readonly ContainerSpec[]
  readonly volumes?: readonly {
    readonly name: string
    readonly secret?: { readonly secretName: string; readonly items: readonly { key: string; path: string }[] }
  }[]
}

interface State {
  readonly waiting?: object
  readonly running?: { readonly startedAt: string }
  readonly terminated?: { readonly exitCode: number; readonly reason: string }
}

/** The one that ends only when a test, or its program, says so. */
const AGENT = 'agent'

/**
 * A cluster with one node for tests: an API server with pods and Secrets, and a kubelet that moves pods through their phases,
 * one container after the other. By itself it runs nothing: what the agent's program would do, the test does (it ends it with an
 * exit code, and prints for it); all other containers just succeed. With {@link runPrograms} it runs what pods say. It demands
 * the `restricted` pod security standard, waits for Secrets, confirms deletions, and collects what belongs to a pod that went.
 */
export class FakeCluster {
  readonly server: KubeApiServer
  /** Off: pods wait, as when no node has room. */
  hasRoom = true
  /** On: a program that is asked to end does not. */
  ignoresTerm = false
  /** What containers were started, oldest first: `<pod uid>/<container>`. */
  readonly started: string[] = []
  readonly #printed = new Map<string, { readonly lines: string[]; readonly followers: Set<ServerResponse> }>()
  #programs: PodPrograms | null = null
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

  async stop(): Promise<void> {
    await this.server.stop()
    this.#programs?.end()
  }

  /** From now on containers are processes of this machine, with their folders two below the one that is returned. */
  runPrograms(): string {
    this.#programs = new PodPrograms()
    return this.#programs.folder
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
  environment(pod: Stored, name = AGENT): Record<string, string> {
    const { env = [] } = containersOf(pod).find((one) => one.name === name)!
    return Object.fromEntries(
      env.map(({ name: variable, value, valueFrom }) => [
        variable,
        valueFrom === undefined ? (value ?? '') : this.#secretOf(pod, valueFrom.secretKeyRef)!,
      ]),
    )
  }

  /** What the command of a task reads. */
  input(pod: Stored): string {
    return Object.values(this.#mounted(pod))[0] ?? ''
  }

  /** Whether the agent's program runs. */
  isRunning(pod: Stored): boolean {
    return stateOf(pod, AGENT)?.running !== undefined
  }

  /** The program of a pod ends by itself; of a task, `result` is what it printed. */
  exit(pod: Stored, exitCode: number, { reason = exitCode === 0 ? 'Completed' : 'Error', result = '' } = {}): void {
    this.#logOf(pod.metadata.uid, 'result').lines.push(...result.split('\n').map((line) => this.#stamped(line)))
    this.#terminate(pod, AGENT, { exitCode, reason })
  }

  print(pod: Stored, ...lines: string[]): void {
    for (const line of lines) this.#printLine(pod.metadata.uid, AGENT, line)
  }

  /** A pod that is being deleted goes, whatever became of its node. */
  lose(pod: Stored): void {
    const freed = structuredClone(pod)
    freed.metadata.finalizers = (pod.metadata.finalizers ?? []).filter((one) => one !== HOLD)
    this.server.store.update(PODS, pod, freed, 'all')
    this.#collect(pod.metadata.namespace!, pod.metadata.uid)
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
    const { deletionTimestamp, finalizers = [], uid } = pod.metadata
    const isOver = ['Succeeded', 'Failed'].includes(String(pod.status?.['phase']))
    const running = containersOf(pod).find(({ name }) => stateOf(pod, name)?.running !== undefined)
    if (deletionTimestamp === undefined && !finalizers.includes(HOLD) && !isOver) {
      const held = structuredClone(pod)
      held.metadata.finalizers = [...finalizers, HOLD]
      store.update(PODS, pod, held, 'all')
    } else if (deletionTimestamp !== undefined && running !== undefined) {
      if (this.ignoresTerm) return
      if (this.#programs === null) this.#terminate(pod, running.name, { exitCode: 143, reason: 'Error' })
      else this.#programs.signal(uid, running.name, 'SIGTERM')
    } else if (deletionTimestamp !== undefined && finalizers.includes(HOLD)) {
      for (const { name } of containersOf(pod)) for (const one of this.#logOf(uid, name).followers) one.end()
      this.lose(pod)
    } else if (deletionTimestamp === undefined && running === undefined && !isOver) {
      this.#startNext(pod)
    }
  }

  #startNext(pod: Stored): void {
    const next = containersOf(pod).find(({ name }) => stateOf(pod, name)?.terminated === undefined)
    if (next === undefined) return
    const isMissing = (next.env ?? []).some(
      ({ valueFrom }) => valueFrom !== undefined && this.#secretOf(pod, valueFrom.secretKeyRef) === null,
    )
    if (!this.hasRoom) this.#setStatus(pod, UNSCHEDULABLE)
    else if (isMissing)
      this.#setState(pod, next.name, {
        waiting: { reason: 'CreateContainerConfigError', message: `secret "${pod.metadata.name}" not found` },
      })
    else this.#startContainer(pod, next)
  }

  #startContainer(pod: Stored, container: ContainerSpec): void {
    const { uid } = pod.metadata
    const { name } = container
    const key = `${uid}/${name}`
    if (this.started.includes(key)) return
    this.started.push(key)
    this.#setState(pod, name, { running: { startedAt: now() } })
    if (this.#programs !== null) {
      const given = { environment: this.environment(pod, name), files: this.#mounted(pod) }
      this.#programs.start(uid, container, given, {
        line: (line) => this.#printLine(uid, name, line),
        end: (exitCode) => this.#terminate(pod, name, { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' }),
      })
    } else if (name !== AGENT) this.#terminate(pod, name, { exitCode: 0, reason: 'Completed' })
  }

  #terminate(of: Stored, name: string, end: { readonly exitCode: number; readonly reason: string }): void {
    const pod = this.#now(of)
    if (pod === null || pod.metadata.uid !== of.metadata.uid || stateOf(pod, name)?.terminated !== undefined) return
    const { followers } = this.#logOf(pod.metadata.uid, name)
    this.#setState(pod, name, {
      terminated: { ...end, startedAt: now(), finishedAt: now() } as State['terminated'] & {},
    })
    for (const follower of followers) follower.end()
  }

  #setState(of: Stored, name: string, state: State): void {
    const pod = this.#now(of) ?? of
    const { initContainers = [], containers } = specOf(pod)
    const statuses = (list: readonly ContainerSpec[]) =>
      list.map((one) => {
        const known = one.name === name ? state : (stateOf(pod, one.name) ?? { waiting: { reason: 'PodInitializing' } })
        return { ...CONTAINER, name: one.name, ready: known.running !== undefined, state: known }
      })
    const [before, main] = [statuses(initContainers), statuses(containers)]
    this.#setStatus(pod, {
      phase: overallPhase([...before, ...main], main),
      initContainerStatuses: before,
      containerStatuses: main,
    })
  }

  #setStatus(of: Stored, status: object): void {
    const pod = this.#now(of)
    if (pod !== null) this.server.store.update(PODS, pod, { ...pod, status: status as JsonObject }, 'status')
  }

  #collect(namespace: string, owner: string): void {
    for (const secret of this.secrets(namespace))
      if (secret.metadata.ownerReferences?.some(({ uid }) => uid === owner)) this.server.store.delete(SECRETS, secret)
  }

  #secretOf({ metadata }: Stored, { name, key }: { readonly name: string; readonly key: string }): string | null {
    const secret = this.server.store.get(SECRETS, metadata.namespace!, name)
    return (secret?.['stringData'] as Record<string, string> | undefined)?.[key] ?? null
  }

  /** Files of Secrets, by where they are mounted. */
  #mounted(pod: Stored): Record<string, string> {
    const mounts = containersOf(pod).flatMap(({ volumeMounts = [] }) => volumeMounts)
    const files: Record<string, string> = {}
    for (const { name, secret } of specOf(pod).volumes ?? [])
      for (const { key, path } of secret?.items ?? []) {
        const at = mounts.find((mount) => mount.name === name)!.mountPath
        files[`${at}/${path}`] = this.#secretOf(pod, { name: secret!.secretName, key }) ?? ''
      }
    return files
  }

  #logOf(uid: string, container: string) {
    const key = `${uid}/${container}`
    const log = this.#printed.get(key) ?? { lines: [], followers: new Set<ServerResponse>() }
    this.#printed.set(key, log)
    return log
  }

  #printLine(uid: string, container: string, line: string): void {
    const { lines, followers } = this.#logOf(uid, container)
    const stamped = this.#stamped(line)
    lines.push(stamped)
    for (const follower of followers) follower.write(`${stamped}\n`)
  }

  #stamped(line: string): string {
    return `${new Date(Date.UTC(2026, 0, 1, 0, 0, this.#second++)).toISOString().replace('.000Z', '.000000001Z')} ${line}`
  }

  #serve({ path, query }: Asked, response: ServerResponse): boolean {
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/.exec(path) ?? []
    if (namespace === undefined) return false
    const pod = this.server.store.find(PODS, namespace, name!)
    const container = query.get('container') ?? AGENT
    const state = stateOf(pod, container)
    if (state?.running === undefined && state?.terminated === undefined) {
      if (!this.hasRoom) {
        // Nobody knows of a node to ask.
        response.writeHead(204).end()
        return true
      }
      const body = { kind: 'Status', status: 'Failure', reason: 'BadRequest', message: 'PodInitializing', code: 400 }
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      return true
    }
    const { lines, followers } = this.#logOf(pod.metadata.uid, container)
    const since = query.get('sinceTime')
    const shown = lines.filter((line) => since === null || line.slice(0, 19) >= since.slice(0, 19))
    const text = shown.map(
      (line) => `${query.get('timestamps') === 'true' ? line : line.slice(line.indexOf(' ') + 1)}\n`,
    )
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.flushHeaders()
    response.write(text.join('').slice(0, Number(query.get('limitBytes') ?? Number.MAX_SAFE_INTEGER)))
    if (state.terminated !== undefined || query.get('follow') !== 'true') response.end()
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

/** A pod whose containers before the last have not all succeeded is pending, although they run. */
function overallPhase(all: readonly { readonly state: State }[], main: readonly { readonly state: State }[]): string {
  if (all.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0)) return 'Failed'
  if (main.every(({ state }) => state.terminated !== undefined)) return 'Succeeded'
  return main.some(({ state }) => state.running !== undefined) ? 'Running' : 'Pending'
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

/** In the order in which they run. */
function containersOf(pod: Stored): readonly ContainerSpec[] {
  const { initContainers = [], containers } = specOf(pod)
  return [...initContainers, ...containers]
}

function stateOf({ status }: Stored, container: string): State | undefined {
  const all = [status?.['initContainerStatuses'], status?.['containerStatuses']].flat()
  return (all as ({ readonly name: string; readonly state: State } | undefined)[]).find(
    (one) => one?.name === container,
  )?.state
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
  const { containers, initContainers = [], securityContext = {} } = object['spec'] as unknown as PodSpec
  const demand = (fits: boolean, field: string) => {
    if (!fits) problems.push({ field, message: 'violates PodSecurity "restricted:latest"' })
  }
  demand(securityContext['runAsNonRoot'] === true, 'spec.securityContext.runAsNonRoot')
  demand(securityContext['runAsUser'] !== 0, 'spec.securityContext.runAsUser')
  demand(isObject(securityContext['seccompProfile']), 'spec.securityContext.seccompProfile')
  for (const container of [...initContainers, ...containers]) {
    const { allowPrivilegeEscalation, capabilities } = (container.securityContext ?? {}) as JsonObject
    demand(allowPrivilegeEscalation === false, 'spec.containers[0].securityContext.allowPrivilegeEscalation')
    const dropped = isObject(capabilities) ? JSON.stringify(capabilities['drop']) : ''
    demand(dropped === '["ALL"]', 'spec.containers[0].securityContext.capabilities')
  }
  return problems
}
