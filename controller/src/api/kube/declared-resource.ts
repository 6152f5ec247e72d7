import { API_VERSION, type KindDefinition } from '../../kinds/definition.ts'
import type { ObjectStatus, ObjectView } from '../../kinds/resource.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import {
  findObject,
  type ObjectRow,
  objectGenerations,
  objectsByUid,
  objectsChangedSince,
  objectTotals,
  pageObjects,
} from '../../store/queries/objects-read.ts'
import type { ObjectViews } from '../ports/objects.ts'
import type { ServedResource } from './served-resource.ts'

const SCALE = { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'update', 'patch'] }
const PREFIX = 'stateward.object.'
/** Kinds most of whose objects nobody declared: `all` means what is declared, and runs. */
const MOSTLY_BUILT_IN: readonly string[] = ['Tool']

/** A kind that is declared in Git, from the `objects` table; some kinds also have built-in ones. */
export function declaredResource(kind: KindDefinition, views: ObjectViews): ServedResource {
  const builtin = () => views.builtin(kind.kind)
  const placed = (view: ObjectView, namespace: string | null) =>
    kind.scope === 'Cluster' ? view : inNamespace(view, namespace)
  return {
    kind: kind.kind,
    plural: kind.plural,
    singular: kind.singular,
    shortNames: kind.shortNames,
    scope: kind.scope,
    columns: kind.columns,
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    ...(MOSTLY_BUILT_IN.includes(kind.kind) ? { isInfrastructure: true } : {}),
    ...(kind.kind === 'Agent' ? { subresources: [SCALE] } : {}),
    kept: {
      totals: (sql) => objectTotals(sql, kind.kind),
      changedSince: async (sql, seq) => (await objectsChangedSince(sql, kind.kind, seq)).map(objectView),
      generations: (sql) => objectGenerations(sql, kind.kind),
      live: (uids) => views.liveStatus(kind.kind, uids),
    },
    page: async (sql, page) => (await pageObjects(sql, { kind: kind.kind, ...page })).map(objectView),
    // Built-in tools are there in every namespace.
    fixed: async (namespace) => (await builtin()).map((view) => placed(view, namespace)),
    async find(sql, namespace, name) {
      const row = await findObject(sql, { kind: kind.kind, namespace, name })
      if (row !== null) return objectView(row)
      const view = (await builtin()).find(({ metadata }) => metadata.name === name)
      return view === undefined ? null : placed(view, namespace)
    },
    byId: async (sql, uids) => (await objectsByUid(sql, uids)).map(objectView),
    subjectOf(event) {
      if (event.resource?.type !== kind.kind || !event.event_name.startsWith(PREFIX)) return null
      const change = event.event_name.slice(PREFIX.length)
      return { id: event.resource.id, change: change === 'created' || change === 'deleted' ? change : 'changed' }
    },
    lastView: (event) => lastView(kind, event),
    async withLive(found) {
      const live = await views.liveStatus(
        kind.kind,
        found.map((view) => view.metadata.uid),
      )
      if (live.size === 0) return found
      return found.map((view) => {
        const status = live.get(view.metadata.uid)
        return status === undefined ? view : { ...view, status: { ...(view as ObjectView).status, ...status } }
      })
    },
  }
}

function inNamespace(view: ObjectView, namespace: string | null): ObjectView {
  return { ...view, metadata: { ...view.metadata, namespace: namespace ?? view.metadata.namespace ?? 'default' } }
}

/** The Kubernetes envelope of a row. */
function objectView(row: ObjectRow): ObjectView {
  const status: ObjectStatus = { lastAppliedRevision: row.last_applied_revision, ...row.status }
  return {
    apiVersion: API_VERSION,
    kind: row.kind,
    metadata: {
      name: row.name,
      ...(row.namespace === '' ? {} : { namespace: row.namespace }),
      uid: row.uid,
      generation: row.generation,
      resourceVersion: String(row.resource_version),
      creationTimestamp: row.created_at.toISOString(),
      ...(row.deletion_timestamp === null ? {} : { deletionTimestamp: row.deletion_timestamp.toISOString() }),
      ...(Object.keys(row.labels).length === 0 ? {} : { labels: row.labels }),
      ...(Object.keys(row.annotations).length === 0 ? {} : { annotations: row.annotations }),
    },
    spec: row.spec,
    status,
  }
}

/** A deletion's event holds the object as it last was, without its status; its version is the number of the deletion. */
function lastView(kind: KindDefinition, event: LoggedEvent): ObjectView {
  const { name, namespace, generation, labels, annotations, spec, creationTimestamp } = event.data
  return {
    apiVersion: API_VERSION,
    kind: kind.kind,
    metadata: {
      name: String(name ?? ''),
      ...(kind.scope === 'Cluster' ? {} : { namespace: String(namespace ?? 'default') }),
      uid: event.resource?.id ?? '',
      generation: typeof generation === 'number' ? generation : 1,
      resourceVersion: String(event.seq),
      creationTimestamp: String(creationTimestamp ?? event.occurred_at),
      deletionTimestamp: event.occurred_at,
      ...(isObject(labels) ? { labels: labels as Record<string, string> } : {}),
      ...(isObject(annotations) ? { annotations: annotations as Record<string, string> } : {}),
    },
    spec: isObject(spec) ? (spec as JsonObject) : {},
    status: {},
  }
}
