import type { Chart } from 'cdk8s'
import { ApiObject } from 'cdk8s'
import type { IDeployment } from 'kubernetes-models/apps/v1'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import type { IService } from 'kubernetes-models/v1'
import { type Installation, labelsOf, nameOf, selectorOf } from '../installation.ts'
import { addDisruptionBudget } from './controller.ts'
import { podTemplate } from './pod-template.ts'

/** What moves runs: as many as the work asks for. What a worker keeps on disk goes with it. */
export function addWorkers(chart: Chart, installation: Installation): void {
  const name = nameOf('worker')
  const { namespace, workers, ports } = installation
  const metadata = { name, namespace, labels: labelsOf('worker') }
  new ApiObject(chart, 'worker', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    // No replicas: the autoscaler's number is not overwritten.
    spec: {
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
      selector: { matchLabels: selectorOf('worker') },
      template: podTemplate(installation, 'worker', { name: 'data', emptyDir: { sizeLimit: '10Gi' } }),
    },
  } satisfies IDeployment)
  new ApiObject(chart, 'autoscaler', {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: workers.min,
      maxReplicas: workers.max,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: workers.cpuPercent } },
        },
      ],
      // A run that moves begins the call it was in again: go slowly.
      behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
    },
  } satisfies IHorizontalPodAutoscaler)
  new ApiObject(chart, 'worker-service', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      clusterIP: 'None',
      selector: selectorOf('worker'),
      ports: [{ name: 'http', port: ports.http, targetPort: 'http' }],
    },
  } satisfies IService)
  addDisruptionBudget(chart, installation, 'worker')
}
