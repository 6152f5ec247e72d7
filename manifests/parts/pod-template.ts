import type { IContainer, IEnvVar, IPodTemplateSpec, IProbe, IVolume } from 'kubernetes-models/v1'
import { type Component, type Installation, labelsOf, NAME, nameOf, selectorOf } from '../installation.ts'

/** The uid of `node` in the image. */
const USER = 1000

/** The pod of a component: the same image and the same confinement, other roles. */
export function podTemplate(installation: Installation, component: Component, data: IVolume): IPodTemplateSpec {
  return {
    metadata: { labels: { ...labelsOf(component), ...selectorOf(component) } },
    spec: {
      serviceAccountName: nameOf(component),
      automountServiceAccountToken: component === 'controller',
      enableServiceLinks: false,
      // Longer than calls of tools that are under way get.
      terminationGracePeriodSeconds: 60,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [container(installation, component)],
      volumes: [data, { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }],
    },
  }
}

function container(installation: Installation, component: Component): IContainer {
  const { image, environmentSecret, ports } = installation
  return {
    name: 'stateward',
    image,
    imagePullPolicy: 'IfNotPresent',
    env: environment(installation, component),
    envFrom: [{ configMapRef: { name: NAME } }, { secretRef: { name: environmentSecret, optional: true } }],
    ports: [
      { name: 'http', containerPort: ports.http },
      { name: 'streams', containerPort: ports.streams },
      { name: 'https', containerPort: ports.tls },
    ],
    startupProbe: { ...probe('/livez'), periodSeconds: 2, failureThreshold: 60 },
    livenessProbe: { ...probe('/livez'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    // Not /readyz: a state repo that is away must not take agents and operators their API.
    readinessProbe: { ...probe('/health'), periodSeconds: 5, timeoutSeconds: 5 },
    resources:
      component === 'controller'
        ? { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '2Gi' } }
        : { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

/** The kubelet calls a pod by its address, which is no name of the server. */
function probe(path: string): IProbe {
  return { httpGet: { path, port: 'http', httpHeaders: [{ name: 'Host', value: 'localhost' }] } }
}

function environment({ namespace, databaseSecret }: Installation, component: Component): IEnvVar[] {
  const names = [NAME, `${NAME}.${namespace}`, `${NAME}.${namespace}.svc`, '$(POD_IP)']
  const ofDatabase = (name: string, key: string, optional: boolean): IEnvVar => ({
    name,
    valueFrom: { secretKeyRef: { name: databaseSecret, key, ...(optional ? { optional } : {}) } },
  })
  return [
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    // Prometheus calls a pod by its address, too.
    { name: 'STATEWARD_NAMES', value: names.join(',') },
    // A worker answers probes and Prometheus.
    { name: 'STATEWARD_ROLES', value: component === 'controller' ? 'controller,api' : 'worker,api' },
    ofDatabase('DATABASE_URL', 'url', false),
    ofDatabase('DATABASE_DIRECT_URL', 'directUrl', true),
    ofDatabase('DATABASE_OWNER_URL', 'ownerUrl', true),
  ]
}
