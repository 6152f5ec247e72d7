import { API_VERSION } from '../../kinds/definition.ts'
import type { KindRow } from '../../kinds/kind-row.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject } from '../../lib/json.ts'
import type { ApiClient } from './api-client.ts'
import { kubeError } from './server-errors.ts'

export interface ObjectList {
  readonly items: readonly ObjectView[]
  readonly resourceVersion: string
}

export interface ListScope {
  /** null = all namespaces. */
  readonly namespace: string | null
  readonly selector: string | null
}

export async function listObjects(client: ApiClient, kind: KindRow, scope: ListScope): Promise<ObjectList> {
  const list = await client.get<{ items: ObjectView[]; metadata: { resourceVersion: string } }>(
    pathOf(kind, scope.namespace, null),
    {
      labelSelector: scope.selector,
    },
  )
  // Items of a list carry kind and apiVersion here, so that each may be printed alone.
  return { items: list.items, resourceVersion: list.metadata.resourceVersion }
}

/** Throws SW_NOT_FOUND. A run may be named by its id or by a unique beginning. */
export function readObject(client: ApiClient, kind: KindRow, namespace: string, name: string): Promise<ObjectView> {
  return client.get<ObjectView>(pathOf(kind, namespace, name))
}

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: ObjectView
}

/** What changed after a version, until `signal` is aborted. Throws SW_SERVER_UNREACHABLE when the server ends it. */
export async function* watchObjects(
  client: ApiClient,
  kind: KindRow,
  scope: ListScope,
  since: string,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const query = { watch: true, resourceVersion: since, labelSelector: scope.selector }
  for await (const line of client.lines(pathOf(kind, scope.namespace, null), query, signal)) {
    if (line === '') continue
    const change = JSON.parse(line) as { type: string; object: ObjectView }
    if (change.type === 'ERROR' && isObject(change.object))
      throw kubeError(change.object, Number(change.object['code'] ?? 500))
    if (change.type === 'ADDED' || change.type === 'MODIFIED' || change.type === 'DELETED')
      yield { type: change.type, object: change.object }
  }
  if (!signal.aborted) throw fail('SW_SERVER_UNREACHABLE', `${client.server} ended the watch`)
}

function pathOf(kind: KindRow, namespace: string | null, name: string | null): string {
  const place = namespace === null || kind.scope === 'Cluster' ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `/kube/apis/${API_VERSION}${place}/${kind.plural}${name === null ? '' : `/${encodeURIComponent(name)}`}`
}
