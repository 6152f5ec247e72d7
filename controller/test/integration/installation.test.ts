import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { Ajv } from 'ajv'
import { load, loadAll } from 'js-yaml'
import * as apps from 'kubernetes-models/apps/v1'
import * as autoscaling from 'kubernetes-models/autoscaling/v2'
import * as networking from 'kubernetes-models/networking.k8s.io/v1'
import * as policy from 'kubernetes-models/policy/v1'
import * as rbac from 'kubernetes-models/rbac.authorization.k8s.io/v1'
import * as core from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { installationManifests, type Manifest } from '../../../manifests/app.ts'
import { describedValues } from '../../src/cli/generate/chart.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import { isObject } from '../../src/lib/json.ts'
import { packageRoot } from '../../src/lib/package-root.ts'
import { renderChart } from '../support/helm-chart.ts'

const CHART = join(packageRoot(), 'charts/stateward')
const RELEASE = { name: 'stateward', namespace: 'stateward' }
const MONITORED = { serviceMonitor: { enabled: true } }

type Model = new (data: never) => { validate(): void }
const MODELS = {
  ...apps,
  ...autoscaling,
  ...networking,
  ...policy,
  ...rbac,
  ...core,
  ServiceMonitor,
} as unknown as Record<string, Model>

/** Against the schemas of Kubernetes itself, and those of Prometheus' operator. */
function assertValid(manifest: Manifest): void {
  const model = MODELS[manifest.kind]
  expect(model, `a model of ${manifest.kind}`).toBeDefined()
  new model!(manifest as never).validate()
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly securityContext: Record<string, unknown>
  readonly containers: readonly Record<string, unknown>[]
}

function podsOf(manifests: readonly Manifest[]): PodSpec[] {
  const deployments = manifests.filter(({ kind }) => kind === 'Deployment')
  expect(deployments).toHaveLength(2)
  return deployments.map(({ spec }) => (spec as { template: { spec: PodSpec } }).template.spec)
}

describe('the rendered installation', () => {
  const manifests = installationManifests()

  it('is what Kubernetes knows', () => {
    for (const manifest of manifests) assertValid(manifest)
    expect(() => assertValid({ ...manifests[0]!, kind: 'Service', spec: { ports: 'all' } })).toThrow()
  })

  it('has pods that are confined', () => {
    for (const { securityContext, containers } of podsOf(manifests)) {
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
      for (const container of containers) {
        expect(container['securityContext']).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(container).toMatchObject({
          resources: { requests: {}, limits: {} },
          livenessProbe: { httpGet: { path: '/livez', port: 'http' } },
          readinessProbe: { httpGet: { path: '/health', port: 'http' } },
        })
      }
    }
  })

  it('gives rights by name, on pods and Secrets in the namespace of agents alone', () => {
    type Rule = { apiGroups: string[]; resources: string[]; verbs: string[] }
    const rulesOf = (kind: string) =>
      manifests.filter((one) => one.kind === kind).flatMap(({ rules }) => rules as Rule[])
    const everywhere = rulesOf('ClusterRole')
    for (const { resources, verbs } of [...everywhere, ...rulesOf('Role')])
      expect([...resources, ...verbs].filter((word) => word.includes('*'))).toEqual([])
    for (const { apiGroups, resources } of everywhere)
      if (!apiGroups.includes('stateward.dev')) expect(resources).toEqual(['events'])
    const secrets = rulesOf('Role').find(({ resources }) => resources.includes('secrets'))
    expect(secrets?.verbs).toEqual(['create'])
    const roles = manifests.filter(({ kind }) => kind === 'Role')
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['stateward-agents'])
    const tokens = manifests.filter(({ kind }) => kind === 'ServiceAccount')
    expect(tokens.filter((one) => one['automountServiceAccountToken'] === true)).toHaveLength(1)
  })

  it('sets what the program reads, and no secret in clear', () => {
    const known = new Set(SETTINGS.map(({ variable }) => variable))
    const variables = podsOf(manifests).flatMap(({ containers }) => containers[0]!['env'] as Record<string, unknown>[])
    const config = manifests.find(({ kind }) => kind === 'ConfigMap')!['data'] as Record<string, string>
    const names = [...variables.map(({ name }) => name as string), ...Object.keys(config)]
    expect(names.filter((name) => name !== 'POD_IP' && !known.has(name))).toEqual([])
    const secret = new Set(SETTINGS.filter((one) => one.secret === true).map(({ variable }) => variable))
    for (const { name, value } of variables) if (secret.has(name as string)) expect(value).toBeUndefined()
    expect(Object.keys(config).filter((name) => secret.has(name))).toEqual([])
  })
})

/** Labels by which Helm finds its own are no difference. */
function withoutHelm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHelm)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(
    ([key, each]) =>
      key !== 'helm.sh/chart' &&
      key !== 'app.kubernetes.io/version' &&
      !(key === 'app.kubernetes.io/managed-by' && each === 'Helm'),
  )
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutHelm(each)]))
}

function byName(manifests: readonly Manifest[]): Record<string, unknown> {
  return Object.fromEntries(
    manifests.map((one) => [`${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name}`, withoutHelm(one)]),
  )
}

describe('the chart', () => {
  it('is equal to the rendered installation, but for the namespace that its release is in', () => {
    const chart = renderChart(CHART, RELEASE, MONITORED) as Manifest[]
    const { 'Namespace /stateward': ours, ...others } = byName(installationManifests())
    expect(ours).toBeDefined()
    expect(byName(chart.filter(({ kind }) => kind !== 'CustomResourceDefinition'))).toEqual(others)
  })

  it('means the same to Helm, where there is one', () => {
    const args = ['template', 'stateward', CHART, '-n', 'stateward', '--kube-version', '1.30.0']
    const { error, stdout, stderr } = spawnSync('helm', [...args, '--set', 'serviceMonitor.enabled=true'], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
    // Debian has no Helm: what is compared above is then all that can be.
    if (error !== undefined) return
    expect(stderr).toBe('')
    const documents = (loadAll(stdout) as (Manifest | null)[]).filter((one) => one !== null && one !== undefined)
    expect(byName(documents)).toEqual(byName(renderChart(CHART, RELEASE, MONITORED) as Manifest[]))
  })

  it('brings the CustomResourceDefinitions, kept when it goes, or leaves them to others', () => {
    const definitions = (values: object) =>
      renderChart(CHART, RELEASE, values).filter(({ kind }) => kind === 'CustomResourceDefinition')
    const all = definitions({})
    expect(all.length).toBeGreaterThan(15)
    for (const { metadata } of all)
      expect(metadata).toMatchObject({ annotations: { 'helm.sh/resource-policy': 'keep' } })
    expect(definitions({ crds: { install: false } })).toEqual([])
  })

  it('makes what its values say, also the ones that are off', () => {
    const values = {
      fullnameOverride: 'fleet',
      imagePullSecrets: [{ name: 'registry' }],
      repo: { url: 'https://git.example.org/agents.git' },
      config: { STATEWARD_LOG_LEVEL: 'debug', STATEWARD_MAX_RUNS: 5 },
      cluster: { source: 'none', namespaces: ['prod', 'test'] },
      persistence: { accessModes: ['ReadWriteMany'], existingClaim: 'mine', storageClassName: 'fast' },
      controller: { nodeSelector: { disk: 'ssd' }, serviceAccountAnnotations: { role: 'x' } },
      workers: { autoscaling: { enabled: false }, replicas: 3, tolerations: [{ operator: 'Exists' }] },
      extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy:3128' }],
      extraVolumes: [{ name: 'key', secret: { secretName: 'git' } }],
      extraVolumeMounts: [{ name: 'key', mountPath: '/key' }],
      agents: { createNamespace: false, namespace: 'robots' },
      podDisruptionBudget: { enabled: false },
      networkPolicy: { enabled: false },
    }
    const chart = renderChart(CHART, { name: 'r', namespace: 'n' }, values) as Manifest[]
    const rest = chart.filter(({ kind }) => kind !== 'CustomResourceDefinition')
    for (const manifest of rest) assertValid(manifest)
    expect(rest.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'ServiceAccount fleet',
      'ServiceAccount fleet-worker',
      'ServiceAccount stateward-agent',
      'Role fleet',
      'RoleBinding fleet',
      'ConfigMap fleet',
      'Deployment fleet',
      'Service fleet',
      'Deployment fleet-worker',
      'Service fleet-worker',
    ])
    const [controller, worker] = podsOf(rest)
    expect(controller).toMatchObject({ nodeSelector: { disk: 'ssd' }, imagePullSecrets: [{ name: 'registry' }] })
    expect(worker).toMatchObject({ tolerations: [{ operator: 'Exists' }] })
    expect(rest.find(({ kind }) => kind === 'ConfigMap')).toMatchObject({
      data: {
        STATEWARD_REPO: 'https://git.example.org/agents.git',
        STATEWARD_LOG_LEVEL: 'debug',
        STATEWARD_MAX_RUNS: '5',
        STATEWARD_CLUSTER_NAMESPACES: 'prod,test',
      },
    })
    expect(rest.filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec)).toMatchObject([
      { strategy: { type: 'RollingUpdate' } },
      { replicas: 3 },
    ])
  })

  it('has a schema that takes its own values, knows each of them, and refuses what is misspelt', () => {
    const text = readFileSync(join(CHART, 'values.yaml'), 'utf8')
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as object
    const validate = new Ajv({ strict: false }).compile(schema)
    const values = load(text) as Record<string, unknown>
    expect(validate(values), JSON.stringify(validate.errors)).toBe(true)
    for (const { path } of describedValues(text)) {
      const wrong = structuredClone(values)
      const keys = path.split('.')
      const last = keys.pop()!
      const parent = keys.reduce((at, key) => at[key] as Record<string, unknown>, wrong)
      parent[`${last}x`] = 1
      expect(validate(wrong), path).toBe(false)
      delete parent[`${last}x`]
      parent[last] = null
      expect(validate(wrong), `${path} as null`).toBe(false)
    }
  })
})
