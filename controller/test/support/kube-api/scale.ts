import type { JsonObject } from '../../../src/lib/json.ts'
import { mergePatch } from '../../../src/lib/merge-patch.ts'
import type { KubeResource } from './kube-resource.ts'
import type { KubeStore, Stored } from './kube-store.ts'
import { refuse } from './refusal.ts'

/** The Scale of an object: its replicas, whatever else it has. One whose spec does not say has none. */
export function scaleOf({ metadata, spec, status }: Stored): JsonObject {
  if (spec?.['replicas'] === undefined)
    throw refuse(
      500,
      'InternalError',
      'Internal error occurred: the spec replicas field ".spec.replicas" does not exist',
    )
  const { name, namespace = '', uid, resourceVersion, creationTimestamp } = metadata
  return {
    ...{ kind: 'Scale', apiVersion: 'autoscaling/v1' },
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec['replicas'] },
    status: { replicas: status?.['replicas'] ?? 0 },
  }
}

/** Sets the replicas as PUT, or a merge patch, of the Scale says. */
export function scale(
  store: KubeStore,
  resource: KubeResource,
  before: Stored,
  asked: { readonly method: string; readonly body: JsonObject; readonly contentType: string },
): JsonObject {
  if (asked.method === 'PATCH' && asked.contentType !== 'application/merge-patch+json')
    throw refuse(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${asked.contentType}`)
  const wanted = asked.method === 'PUT' ? asked.body : (mergePatch(scaleOf(before), asked.body) as JsonObject)
  const { resourceVersion } = (wanted['metadata'] ?? {}) as { readonly resourceVersion?: string }
  if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
    throw refuse(409, 'Conflict', `Operation cannot be fulfilled on ${resource.plural}: the object has been modified`)
  const { replicas } = wanted['spec'] as { readonly replicas: number }
  return scaleOf(store.update(resource, before, { ...before, spec: { ...before.spec, replicas } }, 'all'))
}
