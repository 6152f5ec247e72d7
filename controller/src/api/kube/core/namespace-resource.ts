import type { ObjectView } from '../../../kinds/resource.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Executor } from '../../../store/database.ts'
import { type NamespaceRow, namespaceRows } from '../../../store/queries/namespaces.ts'
import type { ServedResource } from '../served-resource.ts'

/** Namespaces are the places objects stand in; nobody declares them. */
export const namespaceResource: ServedResource = {
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  scope: 'Cluster',
  isInfrastructure: true,
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'Active.', priority: 0 },
    {
      name: 'Age',
      type: 'date',
      jsonPath: '.metadata.creationTimestamp',
      description: 'Since its first object.',
      priority: 0,
    },
  ],
  page: async (sql, { name, after }) =>
    after !== null ? [] : (await all(sql)).filter(({ metadata }) => name === null || metadata.name === name),
  fixed: async () => [],
  find: async (sql, _namespace, name) => (await all(sql)).find(({ metadata }) => metadata.name === name) ?? null,
  byId: async (sql, ids) => (await all(sql)).filter(({ metadata }) => ids.includes(metadata.uid)),
  subjectOf: () => null,
  lastView: (event) => {
    throw fail('SW_INTERNAL', `event ${event.event_name} is about no namespace`)
  },
  withLive: async (views) => views,
}

async function all(sql: Executor): Promise<ObjectView[]> {
  return (await namespaceRows(sql)).map(namespaceView)
}

function namespaceView({ namespace, since }: NamespaceRow): ObjectView {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      uid: `namespace-${namespace}`,
      generation: 1,
      resourceVersion: '0',
      creationTimestamp: since.toISOString(),
      labels: { 'kubernetes.io/metadata.name': namespace },
    },
    spec: {},
    status: { phase: 'Active' },
  }
}
