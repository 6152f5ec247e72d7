import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { GROUP, VERSION } from '../../kinds/definition.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { ApiContext } from '../context.ts'
import type { Api } from '../http/typed.ts'
import { openStream } from '../streams/open-stream.ts'
import { coreGroup } from './core/core-group.ts'
import { addPodLogs } from './core/pod-logs.ts'
import { declaredResource } from './declared-resource.ts'
import { addDiscovery } from './discovery.ts'
import { type KeptBodies, keptBodies } from './kept/kept-body.ts'
import { listBody } from './list.ts'
import { addOpenApi } from './openapi.ts'
import { proposalResource } from './proposal-resource.ts'
import { addReviews } from './reviews.ts'
import { runResource } from './run-resource.ts'
import { parseSelectors } from './selectors.ts'
import { apiVersionOf, pathOf, type ServedGroup, type ServedResource } from './served-resource.ts'
import { stepResource } from './step-resource.ts'
import { formOf, metadataOf, tableOf } from './table.ts'
import { taskResource } from './task-resource.ts'
import { sendWatch } from './watch.ts'
import { workItemResource } from './work-item-resource.ts'
import { workerResource } from './worker-resource.ts'
import { isForApply, lastAppliedOf } from './writes/last-applied.ts'
import { addBodies, addWrites } from './writes/routes.ts'
import { addScale } from './writes/scale.ts'

const includeObject = Type.Optional(Type.String({ maxLength: 20 }))

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
  includeObject,
})
const ObjectQuery = Type.Object({ includeObject })

const PluralParams = Type.Object({ plural: Type.String() })
const NamespacedParams = Type.Object({ namespace: Type.String(), plural: Type.String() })
const ClusterObjectParams = Type.Object({ plural: Type.String(), name: Type.String() })
const ObjectParams = Type.Object({ namespace: Type.String(), plural: Type.String(), name: Type.String() })

const READ = { access: 'read' as const, isCounted: false }

/** The Kubernetes API: every kind, runs, tasks, work, the server's processes; of the core group what kubectl reads beside them. */
export function addKubeRoutes(app: Api, context: ApiContext): void {
  // Bodies are read as Kubernetes clients write them, and nowhere else.
  app.register(async (scope) => {
    addBodies(scope)
    addResources(scope, context)
  })
}

function addResources(app: Api, context: ApiContext): void {
  const declared = context.kinds.map((kind) => declaredResource(kind, context.services.views))
  const own: ServedGroup = {
    group: GROUP,
    version: VERSION,
    resources: [
      ...declared,
      runResource,
      stepResource,
      proposalResource,
      taskResource,
      workItemResource,
      workerResource,
    ],
  }
  const groups = [coreGroup(declared.find(({ kind }) => kind === 'Agent')!, () => context.clock.now()), own]
  addDiscovery(app, context, groups)
  addOpenApi(app, context.kinds)
  addReviews(app, groups)
  addPodLogs(app, context)
  const kept = keptBodies(context.store.reader)
  for (const group of groups) addGroup(app, context, group, kept)
  addWrites(app, context, own)
  addScale(app, context, own)
}

function addGroup(app: Api, context: ApiContext, group: ServedGroup, kept: KeptBodies): void {
  const base = `/kube${pathOf(group)}`
  const byPlural = new Map(group.resources.map((resource) => [resource.plural, resource]))
  const resourceOf = (plural: string, namespaced: boolean | null): Served => {
    const resource = byPlural.get(plural)
    if (resource === undefined || (namespaced !== null && (resource.scope === 'Namespaced') !== namespaced))
      throw fail('SW_NOT_FOUND', `the server could not find the requested resource "${plural}"`, {
        remedy: `the resources are listed at ${base}`,
      })
    return { group, resource, kept }
  }
  app.get(
    `${base}/:plural`,
    { config: READ, schema: { params: PluralParams, querystring: ListQuery } },
    (request, reply) =>
      listOrWatch(context, resourceOf(request.params.plural, null), null, request.query, request, reply),
  )
  app.get(
    `${base}/namespaces/:namespace/:plural`,
    { config: READ, schema: { params: NamespacedParams, querystring: ListQuery } },
    (request, reply) =>
      listOrWatch(
        context,
        resourceOf(request.params.plural, true),
        request.params.namespace,
        request.query,
        request,
        reply,
      ),
  )
  app.get(
    `${base}/:plural/:name`,
    { config: READ, schema: { params: ClusterObjectParams, querystring: ObjectQuery } },
    (request) => readObject(context, resourceOf(request.params.plural, false), '', request.params.name, request),
  )
  app.get(
    `${base}/namespaces/:namespace/:plural/:name`,
    { config: READ, schema: { params: ObjectParams, querystring: ObjectQuery } },
    (request) => {
      const { namespace, plural, name } = request.params
      return readObject(context, resourceOf(plural, true), namespace, name, request)
    },
  )
}

interface Served {
  readonly group: ServedGroup
  readonly resource: ServedResource
  readonly kept: KeptBodies
}

type ObjectRequest = Pick<FastifyRequest, 'headers'> & { readonly query: Static<typeof ObjectQuery> }

async function readObject(
  context: ApiContext,
  { group, resource }: Served,
  namespace: string,
  name: string,
  { headers, query }: ObjectRequest,
): Promise<unknown> {
  const found = await resource.find(context.store.reader, namespace, name)
  if (found === null) {
    const qualified = group.group === '' ? resource.plural : `${resource.plural}.${group.group}`
    throw fail('SW_NOT_FOUND', `${qualified} "${name}" not found`, {
      details: { name, group: group.group, kind: resource.plural },
    })
  }
  const view = (await resource.withLive([found]))[0]!
  const form = formOf(headers.accept, query.includeObject)
  if (form.as === 'object') {
    if (!isForApply(headers) || resource.verbs?.includes('create') !== true) return view
    const { annotations } = view.metadata
    const remembered = { ...annotations, ...lastAppliedOf(view as ObjectView) }
    return { ...view, metadata: { ...view.metadata, annotations: remembered } }
  }
  if (form.as === 'metadata') return metadataOf(view)
  const metadata = { resourceVersion: view.metadata.resourceVersion }
  return tableOf(resource, [view], metadata, { includes: form.includes, now: context.clock.now() })
}

async function listOrWatch(
  context: ApiContext,
  { group, resource, kept }: Served,
  namespace: string | null,
  query: Static<typeof ListQuery>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const selector = parseSelectors(query, resource.fields)
  const form = formOf(request.headers.accept, query.includeObject)
  const apiVersion = apiVersionOf(group)
  // '' and 0 mean "any version".
  const version = Number(query.resourceVersion ?? 0) === 0 ? null : Number(query.resourceVersion)
  if (query.watch !== 'true' && query.watch !== '1') {
    const limit = query.limit === undefined || query.limit === 0 ? null : query.limit
    const list = { namespace, selector, limit, continue: query.continue ?? null, resourceVersion: version }
    const written = { apiVersion, form, now: context.clock.now() }
    const bytes = await kept(resource, list, written)
    if (bytes !== null) return reply.type('application/json; charset=utf-8').send(bytes)
    return listBody(context.store.reader, resource, list, written)
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
  const watch = { namespace, selector, since: version, bookmarks, timeoutMs, apiVersion, form }
  await sendWatch(context, resource, watch, stream)
  stream.end()
  return reply
}
