import type { Chart } from 'cdk8s'
import { ApiObject } from 'cdk8s'
import type { IDeployment } from 'kubernetes-models/apps/v1'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1'
import type { IPersistentVolumeClaim, IService } from 'kubernetes-models/v1'
import { type Component, type Installation, labelsOf, nameOf, selectorOf } from '../installation.ts'
import { podTemplate } from './pod-template.ts'

/** The process that leads, with the folder it keeps: one at a time, since the volume is one node's. */
export function addController(chart: Chart, installation: Installation): void {
  const name = nameOf('controller')
  const { namespace, dataSize } = installation
  const metadata = { name, namespace, labels: labelsOf('controller') }
  new ApiObject(chart, 'data', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: dataSize } } },
  } satisfies IPersistentVolumeClaim)
  new ApiObject(chart, 'controller', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selectorOf('controller') },
      template: podTemplate(installation, 'controller', {
        name: 'data',
        persistentVolumeClaim: { claimName: name },
      }),
    },
  } satisfies IDeployment)
  new ApiObject(chart, 'service', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      selector: selectorOf('controller'),
      ports: [
        { name: 'http', port: installation.ports.http, targetPort: 'http' },
        { name: 'streams', port: installation.ports.streams, targetPort: 'streams' },
        { name: 'https', port: installation.ports.tls, targetPort: 'https' },
      ],
    },
  } satisfies IService)
  addDisruptionBudget(chart, installation, 'controller')
}

export function addDisruptionBudget(chart: Chart, { namespace }: Installation, component: Component): void {
  new ApiObject(chart, `budget-${component}`, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: nameOf(component), namespace, labels: labelsOf(component) },
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(component) } },
  } satisfies IPodDisruptionBudget)
}
