import type { IServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import type { Chart } from 'cdk8s'
import { ApiObject } from 'cdk8s'
import { type Installation, labelsOf, NAME } from '../installation.ts'

/** What Prometheus' operator scrapes: every process, through the services of both components. */
export function addMonitoring(chart: Chart, { namespace }: Installation): void {
  new ApiObject(chart, 'monitor', {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name: NAME, namespace, labels: labelsOf() },
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/instance': NAME } },
      endpoints: [{ port: 'http', path: '/metrics', interval: '30s' }],
    },
  } satisfies IServiceMonitor)
}
