import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { API_VERSION, GROUP } from '../../kinds/definition.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { ApiContext } from '../context.ts'
import type { Api } from '../http/typed.ts'
import { openStream } from '../streams/open-stream.ts'
import { declaredResource } from './declared-resource.ts'
import { addDiscovery } from './discovery.ts'
import { listBody } from './list.ts'
import { runResource } from './run-resource.ts'
import { parseSelectors } from './selectors.ts'
import type { ServedResource } from './served-resource.ts'
import { taskResource } from './task-resource.ts'
import { sendWatch } from './watch.ts'
import { workItemResource } from './work-item-resource.ts'
import { workerResource } from './worker-resource.ts'

const BASE = `/kube/apis/${API_VERSION}`

/** Clients send parameters that have no meaning here (timeouts of theirs, `pretty`): what is not named is let through. */
const ListQuery = Type.Object({
  labelSelector: Type.Optional(Type.String({ maxLength: 4000 })),
  fieldSelector: Type.Optional(Type.String({ maxLength: 4000 })),
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  continue: Type.Optional(Type.String({ maxLength: 1000 })),
  watch: Type.Optional(Type.String({ maxLength: 5 })),
  resourceVersion: Type.Optional(Type.String({ pattern: '^[0-9]{0,15}$' })),
  allowWatchBookmarks: Type.Optional(Type.String({ maxLength: 5 })),
  timeoutSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
})

const PluralParams = Type.Object({ plural: Type.String() })
const NamespacedParams = Type.Object({ namespace: Type.String(), plural: Type.String() })
const ClusterObjectParams = Type.Object({ plural: Type.String(), name: Type.String() })
const ObjectParams = Type.Object({ namespace: Type.String(), plural: Type.String(), name: Type.String() })

/** The first slice of the Kubernetes API: read, list and watch of every kind, of runs and tasks, and of the server's processes. */
export function addKubeRoutes(app: Api, context: ApiContext): void {
  const declared = context.kinds.map((kind) => declaredResource(kind, context.services.views))
  const resources = [...declared, runResource, taskResource, workItemResource, workerResource]
  const byPlural = new Map(resources.map((resource) => [resource.plural, resource]))
  const resourceOf = (plural: string, namespaced: boolean | null): ServedResource => {
    const resource = byPlural.get(plural)
    if (resource === undefined || (namespaced !== null && (resource.scope === 'Namespaced') !== namespaced))
      throw unknownResource(plural)
    return resource
  }
  const config = { access: 'read' as const, isCounted: false }
  addDiscovery(app, context, resources)
  app.get(`${BASE}/:plural`, { config, schema: { params: PluralParams, querystring: ListQuery } }, (request, reply) =>
    answer(context, resourceOf(request.params.plural, null), null, request.query, request, reply),
  )
  app.get(
    `${BASE}/namespaces/:namespace/:plural`,
    { config, schema: { params: NamespacedParams, querystring: ListQuery } },
    (request, reply) =>
      answer(context, resourceOf(request.params.plural, true), request.params.namespace, request.query, request, reply),
  )
  app.get(`${BASE}/:plural/:name`, { config, schema: { params: ClusterObjectParams } }, (request) =>
    readObject(context, resourceOf(request.params.plural, false), '', request.params.name),
  )
  app.get(`${BASE}/namespaces/:namespace/:plural/:name`, { config, schema: { params: ObjectParams } }, (request) =>
    readObject(context, resourceOf(request.params.plural, true), request.params.namespace, request.params.name),
  )
}

async function readObject(
  context: ApiContext,
  resource: ServedResource,
  namespace: string,
  name: string,
): Promise<unknown> {
  const view = await resource.find(context.store.reader, namespace, name)
  if (view === null) {
    throw fail('SW_NOT_FOUND', `${resource.plural}.${GROUP} "${name}" not found`, {
      details: { name, group: GROUP, kind: resource.plural },
    })
  }
  return (await resource.withLive([view]))[0]
}

async function answer(
  context: ApiContext,
  resource: ServedResource,
  namespace: string | null,
  query: Static<typeof ListQuery>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const selector = parseSelectors(query)
  // '' and 0 mean "any version".
  const version = Number(query.resourceVersion ?? 0) === 0 ? null : Number(query.resourceVersion)
  if (query.watch !== 'true' && query.watch !== '1') {
    const limit = query.limit === undefined || query.limit === 0 ? null : query.limit
    return listBody(context.store.reader, resource, {
      namespace,
      selector,
      limit,
      continue: query.continue ?? null,
      resourceVersion: version,
    })
  }
  const stream = openStream(reply, {
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    slowMs: context.timing.slowReaderMs,
    set: context.watches,
    principal: request.principal.name,
  })
  const timeoutMs =
    query.timeoutSeconds === undefined || query.timeoutSeconds === 0 ? null : query.timeoutSeconds * 1000
  const bookmarks = query.allowWatchBookmarks === 'true' || query.allowWatchBookmarks === '1'
  await sendWatch(context, resource, { namespace, selector, since: version, bookmarks, timeoutMs }, stream)
  stream.end()
  return reply
}

function unknownResource(plural: string): Error {
  return fail('SW_NOT_FOUND', `the server could not find the requested resource "${plural}"`, {
    remedy: `the resources are listed at ${BASE}`,
  })
}
