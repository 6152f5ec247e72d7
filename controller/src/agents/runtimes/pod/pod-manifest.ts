import type { V1EnvVar, V1Pod, V1Secret } from '@kubernetes/client-node'
import type { PodRuntime } from '../../../kinds/agent/agent.schema.ts'
import { type AgentTarget, graceMsOf } from '../../agent-target.ts'
import { type InstanceIdentity, instanceVariables } from '../process/environment.ts'

/** Every pod of an agent carries these, and nothing else in the namespace may. */
const POD_LABELS = {
  'app.kubernetes.io/managed-by': 'stateward',
  'app.kubernetes.io/component': 'agent',
} as const
export const POD_SELECTOR = Object.entries(POD_LABELS)
  .map(([name, value]) => `${name}=${value}`)
  .join(',')
export const INSTANCE_LABEL = 'stateward.dev/instance'
export const CONTAINER = 'agent'

const USER = 1000
const WORKSPACE = '/workspace'
const LONGEST_LABEL = 63
/** A name has room for what tells instances apart, and still is one word of a host name. */
const LONGEST_AGENT = 40

/** The name of an instance's pod, and of its Secret: the same for whoever asks, so that nobody has to remember it. */
export function podName(agent: string, instanceId: string): string {
  const readable = agent.slice(0, LONGEST_AGENT).replaceAll('.', '-').replace(/-+$/, '')
  return `${readable}-${instanceId.replaceAll('-', '').slice(-12)}`
}

export interface PodRequest {
  readonly target: AgentTarget
  readonly runtime: PodRuntime
  readonly namespace: string
  readonly instance: InstanceIdentity
  /** `env` of the agent with secrets resolved. */
  readonly declared: Readonly<Record<string, string>>
}

/**
 * The pod of an instance, and the Secret with what nobody may read in its spec. The Secret belongs to the pod, whose uid is
 * known only once it is there: until then the kubelet waits.
 */
export function podManifests(request: PodRequest): { readonly pod: V1Pod; readonly secret: V1Secret } {
  const { target, namespace, instance } = request
  const name = podName(target.name, instance.instanceId)
  const metadata = { name, namespace, labels: labelsOf(request), annotations: annotationsOf(request) }
  const { plain, secret } = splitEnvironment(request)
  return {
    pod: { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(request, environmentOf(name, plain, secret)) },
    secret: { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData: secret },
  }
}

/** The Secret as it is created: of the pod from birth, so that it never outlives it. */
export function ownedBy(secret: V1Secret, pod: { readonly name: string; readonly uid: string }): V1Secret {
  const owner = { apiVersion: 'v1', kind: 'Pod', ...pod }
  return { ...secret, metadata: { ...secret.metadata, ownerReferences: [owner] } }
}

function labelsOf({ target, instance }: PodRequest): Record<string, string> {
  return {
    ...POD_LABELS,
    'app.kubernetes.io/name': target.name.slice(0, LONGEST_LABEL).replace(/[^A-Za-z0-9]+$/, ''),
    'stateward.dev/environment': target.namespace,
    'stateward.dev/agent-uid': target.uid,
    [INSTANCE_LABEL]: instance.instanceId,
  }
}

function annotationsOf({ target }: PodRequest): Record<string, string> {
  return { 'stateward.dev/agent': `${target.namespace}/${target.name}` }
}

/** What was declared as a secret, the token, and what holds it, go into the Secret. */
function splitEnvironment({ target, instance, declared }: PodRequest) {
  const secretNames = new Set(
    (target.spec.runtime.process.env ?? []).flatMap(({ name, secretRef }) => (secretRef === undefined ? [] : [name])),
  )
  const variables = { HOME: WORKSPACE, ...instanceVariables({ ...instance, workspace: WORKSPACE, declared }) }
  const plain: Record<string, string> = {}
  const secret: Record<string, string> = {}
  for (const [name, value] of Object.entries(variables)) {
    const into = secretNames.has(name) || value.includes(instance.token) ? secret : plain
    into[name] = value
  }
  return { plain, secret }
}

function environmentOf(
  secretName: string,
  plain: Readonly<Record<string, string>>,
  secret: Readonly<Record<string, string>>,
): V1EnvVar[] {
  return [
    // A dollar sign would be taken for another variable's name.
    ...Object.entries(plain).map(([name, value]) => ({ name, value: value.replaceAll('$(', () => '$$(') })),
    ...Object.keys(secret).map((name) => ({ name, valueFrom: { secretKeyRef: { name: secretName, key: name } } })),
  ]
}

function podSpec({ target, runtime }: PodRequest, env: V1EnvVar[]): NonNullable<V1Pod['spec']> {
  const { image, command, resources, serviceAccountName, nodeSelector, imagePullSecrets, runAsUser = USER } = runtime
  return {
    // Whether and when it is started again is decided here, as for processes.
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: Math.max(1, Math.round(graceMsOf(target.spec) / 1000)),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser,
      runAsGroup: runAsUser,
      fsGroup: runAsUser,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: CONTAINER,
        image,
        ...(command === undefined ? {} : { command: [...command] }),
        workingDir: WORKSPACE,
        env,
        ...(resources === undefined ? {} : { resources: structuredClone(resources) }),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'workspace', mountPath: WORKSPACE },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [
      { name: 'workspace', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
    ],
  }
}

/** Where a pod's tasks find their files, as its program sees it. */
export const POD_WORKSPACE = WORKSPACE
