import type { ApiContext } from '../context.ts'
import type { Api } from '../http/typed.ts'
import { apiVersionOf, pathOf, type ServedGroup, type ServedResource } from './served-resource.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const VERBS = ['get', 'list', 'watch']

/** What is served, as Kubernetes clients ask for it: all of a root at once where they can read that, else group by group. */
export function addDiscovery(app: Api, context: ApiContext, groups: readonly ServedGroup[]): void {
  const named = groups.filter(({ group }) => group !== '')
  const core = groups.filter(({ group }) => group === '')
  const config = { access: 'read' as const, isCounted: false }
  const add = (path: string, document: unknown, aggregated?: readonly ServedGroup[]): void => {
    app.get(path, { config }, async (request, reply) => {
      if (aggregated === undefined || !(request.headers.accept ?? '').includes('g=apidiscovery.k8s.io;v=v2;'))
        return document
      // Exactly this: kubectl compares the text.
      reply.header('content-type', AGGREGATED)
      return reply.serializer(JSON.stringify).send(aggregatedOf(aggregated))
    })
  }
  add('/kube/version', {
    major: '1',
    minor: '32',
    gitVersion: `v1.32.0+stateward-${context.version}`,
    platform: `${process.platform}/${process.arch}`,
  })
  for (const probe of ['/kube/healthz', '/kube/livez', '/kube/readyz'])
    app.get(probe, { config: { ...config, access: 'public' } }, async (_request, reply) => {
      const isReady = probe !== '/kube/readyz' || context.loaded()
      return reply
        .status(isReady ? 200 : 503)
        .type('text/plain; charset=utf-8')
        .send(isReady ? 'ok' : 'starting')
    })
  const versions = core.map(({ version }) => version)
  add('/kube/api', { kind: 'APIVersions', versions, serverAddressByClientCIDRs: [] }, core)
  add('/kube/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(groupOf) }, named)
  for (const served of named)
    add(`/kube/apis/${served.group}`, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(served) })
  for (const served of groups)
    add(`/kube${pathOf(served)}`, {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: apiVersionOf(served),
      resources: served.resources.flatMap(listed),
    })
}

function groupOf(served: ServedGroup) {
  const groupVersion = { groupVersion: apiVersionOf(served), version: served.version }
  return { name: served.group, versions: [groupVersion], preferredVersion: groupVersion }
}

function listed(resource: ServedResource) {
  const { plural, singular, scope, kind, shortNames } = resource
  const namespaced = scope === 'Namespaced'
  const verbs = resource.verbs ?? VERBS
  return [
    { name: plural, singularName: singular, namespaced, kind, verbs, shortNames, categories: categoriesOf(resource) },
    ...(resource.subresources ?? []).map((part) => ({
      ...{ name: `${plural}/${part.name}`, singularName: '', namespaced, kind: part.kind ?? kind, verbs: part.verbs },
      ...(part.group === undefined ? {} : { group: part.group, version: part.version }),
    })),
  ]
}

/** APIGroupDiscoveryList of `apidiscovery.k8s.io/v2`. */
function aggregatedOf(groups: readonly ServedGroup[]) {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ group, version, resources }) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: [
        {
          version,
          freshness: 'Current',
          resources: resources.map((resource) => ({
            resource: resource.plural,
            responseKind: { group, version, kind: resource.kind },
            scope: resource.scope === 'Cluster' ? 'Cluster' : 'Namespaced',
            singularResource: resource.singular,
            verbs: resource.verbs ?? VERBS,
            shortNames: resource.shortNames,
            categories: categoriesOf(resource),
            subresources: (resource.subresources ?? []).map((part) => ({
              subresource: part.name,
              responseKind: {
                group: part.group ?? group,
                version: part.version ?? version,
                kind: part.kind ?? resource.kind,
              },
              verbs: part.verbs,
            })),
          })),
        },
      ],
    })),
  }
}

/** `all` means what is declared and its runs, not what runs the rest. */
function categoriesOf({ isInfrastructure }: ServedResource): string[] {
  return isInfrastructure === true ? ['stateward'] : ['all', 'stateward']
}
