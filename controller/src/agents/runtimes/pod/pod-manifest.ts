import type { V1Pod, V1Secret } from '@kubernetes/client-node'
import { instanceVariables } from '../process/environment.ts'
import {
  AGENT_LABEL,
  CONTAINER,
  INSTANCE_LABEL,
  POD_FILES,
  POD_LABELS,
  POD_WORKSPACE,
  type PodRequest,
  podName,
  TASK_KEY,
  TTL_ANNOTATION,
} from './pod-request.ts'
import { podSpec } from './pod-spec.ts'

const LONGEST_LABEL = 63
const TTL_SECONDS = 300

/**
 * The pod of an instance, and the Secret with what nobody may read in its spec. The Secret belongs to the pod, whose uid is
 * known only once it is there: until then the kubelet waits.
 */
export function podManifests(request: PodRequest): { readonly pod: V1Pod; readonly secret: V1Secret } {
  const { target, namespace, instance, task } = request
  const name = podName(target.name, instance.instanceId)
  const metadata = { name, namespace, labels: labelsOf(request), annotations: annotationsOf(request) }
  const { plain, secret } = splitEnvironment(request)
  const stringData = task === null ? secret : { ...secret, [TASK_KEY]: task.input }
  return {
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, ...ownersOf(request) },
      spec: podSpec(request, { secretName: name, plain, secret: Object.keys(secret) }),
    },
    secret: { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData },
  }
}

/** The Secret as it is created: of the pod from birth, so that it never outlives it. */
export function ownedBy(secret: V1Secret, pod: { readonly name: string; readonly uid: string }): V1Secret {
  const owner = { apiVersion: 'v1', kind: 'Pod', ...pod }
  return { ...secret, metadata: { ...secret.metadata, ownerReferences: [owner] } }
}

/** A custom resource owns what is in its own namespace only; the cluster would collect anything else at once. */
function ownersOf({ target, namespace }: PodRequest): Pick<NonNullable<V1Pod['metadata']>, 'ownerReferences'> {
  const { resource } = target
  return resource === undefined || target.namespace !== namespace
    ? {}
    : { ownerReferences: [{ ...resource, controller: true, blockOwnerDeletion: false }] }
}

function labelsOf({ target, instance, task }: PodRequest): Record<string, string> {
  return {
    ...POD_LABELS,
    'app.kubernetes.io/name': target.name.slice(0, LONGEST_LABEL).replace(/[^A-Za-z0-9]+$/, ''),
    'stateward.dev/environment': target.namespace,
    [AGENT_LABEL]: target.uid,
    [INSTANCE_LABEL]: instance.instanceId,
    ...(task === null ? {} : { 'stateward.dev/task': task.id }),
  }
}

function annotationsOf({ target, task, runtime }: PodRequest): Record<string, string> {
  return {
    'stateward.dev/agent': `${target.namespace}/${target.name}`,
    'kubectl.kubernetes.io/default-container': CONTAINER,
    ...(task === null ? {} : { [TTL_ANNOTATION]: String(runtime.ttlSecondsAfterFinished ?? TTL_SECONDS) }),
  }
}

/** What was declared as a secret, the token, and what holds it, go into the Secret. */
function splitEnvironment({ target, instance, declared, files }: PodRequest) {
  const secretNames = new Set(
    (target.spec.runtime.process.env ?? []).flatMap(({ name, secretRef }) => (secretRef === undefined ? [] : [name])),
  )
  const variables = {
    HOME: POD_WORKSPACE,
    ...instanceVariables({ ...instance, workspace: POD_WORKSPACE, declared }),
    ...(files === null ? {} : { STATEWARD_FILES: POD_FILES }),
  }
  const plain: Record<string, string> = {}
  const secret: Record<string, string> = {}
  for (const [name, value] of Object.entries(variables)) {
    const into = secretNames.has(name) || value.includes(instance.token) ? secret : plain
    into[name] = value
  }
  return { plain, secret }
}
