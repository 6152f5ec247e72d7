import { clusterPath } from '../../kinds/cluster-origin.ts'
import { API_VERSION } from '../../kinds/definition.ts'
import { type ObjectKey, refOf } from '../../kinds/resource.ts'
import type { KubeObject } from '../../kube-client/watch-lines.ts'
import { digestOf } from '../../lib/digest.ts'
import type { ObjectIdentity } from '../ports.ts'

/** A custom resource as a file of a source: what it wants, and nothing of what servers and clients keep in it. */
export interface ClusterDocument {
  readonly path: string
  readonly oid: string
  readonly bytes: Uint8Array
  readonly identity: ObjectIdentity
}

/** What clients leave on an object for themselves. */
const CLIENTS_OWN = ['kubectl.kubernetes.io/last-applied-configuration']

/** Equal oid: the same object, with the same spec, labels and annotations. Its status does not count. */
export function clusterDocument(key: ObjectKey, object: KubeObject): ClusterDocument {
  const ref = refOf(key)
  const { uid, generation = 1, labels, annotations = {} } = object.metadata
  const notes = Object.fromEntries(Object.entries(annotations).filter(([name]) => !CLIENTS_OWN.includes(name)))
  const document = {
    apiVersion: API_VERSION,
    kind: ref.kind,
    metadata: {
      name: ref.name,
      ...(ref.namespace === '' ? {} : { namespace: ref.namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(Object.keys(notes).length === 0 ? {} : { annotations: notes }),
    },
    ...(object['spec'] === undefined ? {} : { spec: object['spec'] }),
  }
  return {
    path: clusterPath(ref),
    oid: digestOf({ document, uid, generation }).slice(0, 40),
    // JSON is YAML, too.
    bytes: new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`),
    identity: { uid, generation },
  }
}
