import { API_VERSION, GROUP, VERSION } from '../../kinds/definition.ts'
import type { ApiContext } from '../context.ts'
import type { Api } from '../http/typed.ts'
import type { ServedResource } from './served-resource.ts'

const groupVersion = { groupVersion: API_VERSION, version: VERSION }
const group = { name: GROUP, versions: [groupVersion], preferredVersion: groupVersion }

/** What is served, as Kubernetes clients ask for it (the documents of before aggregated discovery, which all of them read). */
export function addDiscovery(app: Api, context: ApiContext, resources: readonly ServedResource[]): void {
  const documents: Record<string, unknown> = {
    '/kube/version': {
      major: '1',
      minor: '32',
      gitVersion: `v1.32.0+stateward-${context.version}`,
      platform: `${process.platform}/${process.arch}`,
    },
    // No core kinds are served.
    '/kube/api': { kind: 'APIVersions', versions: [], serverAddressByClientCIDRs: [] },
    '/kube/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] },
    [`/kube/apis/${GROUP}`]: { kind: 'APIGroup', apiVersion: 'v1', ...group },
    [`/kube/apis/${API_VERSION}`]: {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: API_VERSION,
      resources: resources.map((resource) => ({
        name: resource.plural,
        singularName: resource.singular,
        namespaced: resource.scope === 'Namespaced',
        kind: resource.kind,
        verbs: ['get', 'list', 'watch'],
        shortNames: resource.shortNames,
        categories: resource.isInfrastructure === true ? ['stateward'] : ['all', 'stateward'],
      })),
    },
  }
  for (const [path, document] of Object.entries(documents)) {
    app.get(path, { config: { access: 'read', isCounted: false } }, async () => document)
  }
}
