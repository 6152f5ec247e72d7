import type { AgentIdentity } from '../../src/api/auth/principal.ts'
import type { Timing } from '../../src/api/context.ts'
import type { MessageVerbs } from '../../src/api/ports/messages.ts'
import { messageVerbs } from '../../src/build/message-verbs.ts'
import type { PendingFor } from '../../src/bus/ports.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { World } from '../../src/reconcile/world.ts'
import { asAdmin, startApi, type TestApi } from './api-server.ts'
import { SetClock } from './set-clock.ts'

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any
}

export interface MessagesApi extends TestApi {
  readonly clock: SetClock
  readonly world: World
  /** Declares an agent, or what it says anew. */
  declare(name: string, spec?: JsonObject, namespace?: string): void
  /** Headers of an instance of an agent; another ordinal is another instance. */
  as(agent: string, ordinal?: number, namespace?: string): Record<string, string>
  send(body: object, headers?: Record<string, string>): Promise<Answer>
  get(url: string, headers?: Record<string, string>): Promise<Answer>
  post(url: string, headers?: Record<string, string>): Promise<Answer>
}

/** The API with messages on a fleet that is made up. */
export async function startMessagesApi(
  setup: { readonly timing?: Partial<Timing>; readonly pendingFor?: PendingFor; readonly listen?: boolean } = {},
): Promise<MessagesApi> {
  const clock = new SetClock('2030-01-01T00:00:00.000Z')
  const world = new World()
  const instances = new Map<string, AgentIdentity>()
  const api: TestApi = await startApi({
    clock,
    listen: setup.listen ?? false,
    options: { timing: setup.timing ?? {} },
    services: {
      agents: { authenticate: async (token) => instances.get(token) ?? null },
    },
    messages: (store, feed): MessageVerbs => messageVerbs({ store, feed, world }, setup.pendingFor),
  })
  const inject = async (method: 'GET' | 'POST', url: string, headers: Record<string, string>, payload?: object) => {
    const response = await api.server.app.inject({
      method,
      url,
      headers,
      ...(payload === undefined ? {} : { payload }),
    })
    return { status: response.statusCode, body: response.body === '' ? null : response.json() }
  }
  return {
    ...api,
    clock,
    world,
    declare(name, spec = {}, namespace = 'default') {
      const before = world.get(`Agent/${namespace}/${name}`)
      world.put({
        uid: before?.uid ?? uuidv7(),
        kind: 'Agent',
        namespace,
        name,
        source: 'main',
        generation: 1,
        resourceVersion: 1,
        specResourceVersion: 1,
        labels: {},
        annotations: {},
        spec,
        specDigest: 'd',
        effectiveDigest: 'd',
        file: 'f.yaml',
        document: 0,
        oid: 'oid',
        lastAppliedRevision: 'c',
        createdAt: clock.now(),
        deletionTimestamp: null,
        deleting: false,
        status: {},
      })
    },
    as(agent, ordinal = 0, namespace = 'default') {
      const token = `swa_${Buffer.from(`${namespace}/${agent}/${ordinal}`).toString('hex').padEnd(43, '0')}`
      const known = instances.get(token)
      if (known === undefined) {
        instances.set(token, {
          type: 'agent',
          name: `agent:${namespace}/${agent}`,
          instanceId: uuidv7(),
          agentUid: world.get(`Agent/${namespace}/${agent}`)!.uid,
          namespace,
          agent,
        })
      }
      return { authorization: `Bearer ${token}` }
    },
    send: (body, headers = asAdmin) => inject('POST', '/api/v1/messages', headers, body),
    get: (url, headers = asAdmin) => inject('GET', url, headers),
    post: (url, headers = asAdmin) => inject('POST', url, headers),
  }
}
