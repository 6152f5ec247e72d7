import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { isObject, type Json, type JsonObject } from '../../../src/lib/json.ts'
import { patched } from './apply-patch.ts'
import { CORE, type KubeResource, shippedCrds } from './kube-resource.ts'
import { apiVersionOf, KubeStore, placeOf, type Stored } from './kube-store.ts'
import { LoopbackListener } from './loopback-listener.ts'
import { Refusal, refuse, statusOf } from './refusal.ts'
import { scale, scaleOf } from './scale.ts'
import { serveWatch } from './serve-watch.ts'

/** A request as the server understands it. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** The program that asks. */
  readonly client: string
  readonly body: Json
  readonly contentType: string
}

export interface KubeApiServerOptions {
  readonly resources?: readonly KubeResource[]
  /** Bearer token that is demanded; left out: none is. */
  readonly token?: string
  readonly bookmarkMs?: number
  /** A server whose objects it serves, too; left out: it has its own. */
  readonly twin?: KubeApiServer
  /** Answers what it knows of by itself: true = it has, or will. */
  readonly serve?: (asked: Asked, response: ServerResponse) => boolean
}

/**
 * An API server that is strict: it stores what is sent and nothing else acts on it. It keeps the rules of a real one as far as
 * clients can tell (optimistic locking, server-side apply, status by itself, finalizers, 410), validates by the shipped CRDs,
 * can be stopped and started again on the same port, and loses nothing by that.
 */
export class KubeApiServer {
  readonly store: KubeStore
  readonly resources: readonly KubeResource[]
  /** What was asked, in order; watches and lists, too. */
  readonly asked: Asked[] = []
  /** Answers instead of the server where it returns a refusal. */
  disturb: (asked: Asked) => Refusal | null = () => null
  readonly #options: KubeApiServerOptions
  readonly #listener = new LoopbackListener((request, response) => void this.#serve(request, response))

  constructor(options: KubeApiServerOptions = {}) {
    this.#options = options
    this.store = options.twin?.store ?? new KubeStore()
    this.resources = options.twin?.resources ?? [...CORE, ...shippedCrds(), ...(options.resources ?? [])]
  }

  get url(): string {
    return this.#listener.url
  }

  /** Listens, on the port of the time before. */
  async start(): Promise<this> {
    await this.#listener.start()
    return this
  }

  /** Ends as one that is killed does: connections break off. What is stored stays. */
  stop(): Promise<void> {
    return this.#listener.stop()
  }

  resource(plural: string): KubeResource {
    const found = this.resources.find((one) => one.plural === plural)
    if (found === undefined) throw new Error(`no resource ${plural}`)
    return found
  }

  /** A kubeconfig for it, as text. */
  kubeconfig(): string {
    return kubeconfigOf(this.url, this.#options.token === undefined ? {} : { token: this.#options.token })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', this.url)
      const body = await text(request)
      const asked: Asked = {
        method: request.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        client: request.headers['user-agent'] ?? '',
        body: body === '' ? null : (JSON.parse(body) as Json),
        contentType: (request.headers['content-type'] ?? 'application/json').split(';')[0]!,
      }
      this.asked.push(asked)
      const { token } = this.#options
      if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
        throw refuse(401, 'Unauthorized', 'Unauthorized')
      const disturbed = this.disturb(asked)
      if (disturbed !== null) throw disturbed
      if (this.#options.serve?.(asked, response) === true) return
      const answer = this.#answer(asked, response)
      if (answer !== null) send(response, answer.code, answer.body)
    } catch (error) {
      const refusal = error instanceof Refusal ? error : refuse(500, 'InternalError', String(error))
      send(response, refusal.code, statusOf(refusal))
    }
  }

  #answer(asked: Asked, response: ServerResponse): { code: number; body: unknown } | null {
    const { method, path, query } = asked
    if (path === '/version') return ok({ major: '1', minor: '30', gitVersion: 'v1.30.0' })
    const target = targetOf(path, this.resources)
    if (target === null) {
      const found = this.#discovery(path)
      if (found === null) throw refuse(404, 'NotFound', 'the server could not find the requested resource')
      return ok(found)
    }
    if (target.name === null) {
      if (method === 'POST') return { code: 201, body: this.#create(target, asked) }
      if (method !== 'GET') throw refuse(405, 'MethodNotAllowed', `${method} is not supported on lists`)
      if (query.get('watch') === 'true' || query.get('watch') === '1') {
        serveWatch(this.store, { ...target, query, bookmarkMs: this.#options.bookmarkMs ?? 500 }, response)
        return null
      }
      return ok(this.#list(target, query))
    }
    return ok(this.#one({ ...target, name: target.name }, asked))
  }

  #create({ resource, namespace }: Target, { body, query }: Asked): Stored {
    if (!isObject(body)) throw refuse(400, 'BadRequest', 'the body is no object')
    const place = namespace === null ? null : this.store.get(this.resource('namespaces'), '', namespace)
    if (place?.metadata.deletionTimestamp !== undefined) {
      const message = `unable to create new content in namespace ${namespace} because it is being terminated`
      throw refuse(403, 'Forbidden', message, [
        { reason: 'NamespaceTerminating', field: 'metadata.namespace', message },
      ])
    }
    return this.store.create(resource, namespace ?? '', body as JsonObject, query.get('dryRun') === 'All')
  }

  #list({ resource, namespace }: Target, query: URLSearchParams): unknown {
    const limit = Number(query.get('limit') ?? 0)
    const token = query.get('continue')
    const [version, after] = token === null ? [this.store.version, ''] : (JSON.parse(token) as [number, string])
    if (version < this.store.oldest) throw refuse(410, 'Expired', 'The provided continue parameter is too old')
    const all = this.store.list(resource, namespace).filter((object) => placeOf(object) > after)
    const items = limit > 0 ? all.slice(0, limit) : all
    return {
      ...{ apiVersion: apiVersionOf(resource), kind: `${resource.kind}List` },
      metadata: {
        resourceVersion: String(version),
        ...(items.length < all.length ? { continue: JSON.stringify([version, placeOf(items.at(-1)!)]) } : {}),
      },
      items,
    }
  }

  #one(target: Target & { readonly name: string }, { method, body, query, contentType }: Asked): unknown {
    const { resource, namespace, name, part } = target
    const { store } = this
    const isDryRun = query.get('dryRun') === 'All'
    const isApply = contentType === 'application/apply-patch+yaml'
    if (method === 'PATCH' && isApply && part === 'all' && store.get(resource, namespace ?? '', name) === null) {
      const uid = isObject(body) && isObject(body['metadata']) ? body['metadata']['uid'] : undefined
      if (uid !== undefined)
        throw refuse(
          409,
          'Conflict',
          `uid mismatch: the provided object specified uid ${String(uid)}, and no existing object was found`,
        )
      return store.create(resource, namespace ?? '', body as JsonObject, isDryRun)
    }
    const before = store.find(resource, namespace ?? '', name)
    if (part === 'scale' && isObject(body)) return scale(store, resource, before, { method, body, contentType })
    if (method === 'GET') return part === 'scale' ? scaleOf(before) : before
    if (method === 'DELETE') {
      const uid = isObject(body) && isObject(body['preconditions']) ? body['preconditions']['uid'] : undefined
      if (uid !== undefined && uid !== before.metadata.uid)
        throw refuse(409, 'Conflict', 'the UID in the precondition does not match')
      const grace = resource.kind === 'Pod' && isObject(body) ? body['gracePeriodSeconds'] : undefined
      const { object, isGone } = store.delete(resource, before, typeof grace === 'number' ? grace : 0)
      return isGone
        ? { kind: 'Status', apiVersion: 'v1', status: 'Success', details: { uid: object.metadata.uid } }
        : object
    }
    if (method !== 'PATCH' && method !== 'PUT') throw refuse(405, 'MethodNotAllowed', `${method} is not supported`)
    if (!isObject(body) && !Array.isArray(body)) throw refuse(400, 'BadRequest', 'the body is no object')
    const after =
      method === 'PUT'
        ? (body as unknown as Stored)
        : patched(before, body as Json, contentType, {
            manager: query.get('fieldManager'),
            force: query.get('force') === 'true',
            part: part === 'status' ? 'status' : '',
            owners: store.ownersOf(resource, before),
          })
    const version = after.metadata.resourceVersion
    if (method === 'PUT' && version === undefined)
      throw refuse(422, 'Invalid', 'metadata.resourceVersion: Invalid value: 0x0: must be specified for an update')
    if (version !== undefined && version !== before.metadata.resourceVersion)
      throw refuse(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${resource.plural} "${name}": the object has been modified`,
      )
    return store.update(resource, before, after, part === 'status' ? 'status' : 'all', isDryRun)
  }

  #discovery(path: string): unknown {
    const groups = [...new Set(this.resources.map(({ group }) => group))].filter((group) => group !== '')
    if (path === '/apis')
      return {
        ...{ kind: 'APIGroupList', apiVersion: 'v1' },
        groups: groups.map((name) => {
          const { version } = this.resources.find(({ group }) => group === name)!
          const versions = { groupVersion: `${name}/${version}`, version }
          return { name, versions: [versions], preferredVersion: versions }
        }),
      }
    const served = this.resources.filter(
      (one) => path === (one.group === '' ? '/api/v1' : `/apis/${apiVersionOf(one)}`),
    )
    if (served.length === 0) return null
    return {
      ...{ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(served[0]!) },
      resources: served.map(({ plural, kind, namespaced }) => ({
        ...{ name: plural, singularName: kind.toLowerCase(), kind, namespaced },
        verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      })),
    }
  }
}

/** A kubeconfig with one server, as text. */
export function kubeconfigOf(server: string, user: { readonly token?: string }): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'default' } }],
  })
}

interface Target {
  readonly resource: KubeResource
  readonly namespace: string | null
  readonly name: string | null
  readonly part: 'all' | 'status' | 'scale'
}

function targetOf(path: string, resources: readonly KubeResource[]): Target | null {
  const parts = path.split('/').slice(1).map(decodeURIComponent)
  const [root, ...rest] = parts
  if (root !== 'api' && root !== 'apis') return null
  const [group, version, ...after] = root === 'api' ? ['', ...rest] : rest
  const isNamespaced = after[0] === 'namespaces' && after.length > 2
  const [plural, name, part] = isNamespaced ? after.slice(2) : after
  const resource = resources.find((one) => one.group === group && one.version === version && one.plural === plural)
  if (resource === undefined) return null
  if (part !== undefined && !(part === 'status' && resource.hasStatus) && !(part === 'scale' && resource.hasScale))
    return null
  const namespace = isNamespaced ? after[1]! : null
  if (resource.namespaced !== isNamespaced && (name !== undefined || isNamespaced)) return null
  return { resource, namespace, name: name ?? null, part: part ?? 'all' } as Target
}

function ok(body: unknown) {
  return { code: 200, body }
}

function send(response: ServerResponse, code: number, body: unknown): void {
  if (response.headersSent) return void response.end()
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
