import type { Chart } from 'cdk8s'
import { ApiObject } from 'cdk8s'
import type { INamespace } from 'kubernetes-models/v1'
import { type Installation, labelsOf } from '../installation.ts'

/** Nothing in either namespace may ask for more than the strictest of Kubernetes' pod security standards allows. */
const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
  'pod-security.kubernetes.io/audit': 'restricted',
}

export function addNamespaces(chart: Chart, { namespace, agentsNamespace }: Installation): void {
  for (const name of [namespace, agentsNamespace]) {
    new ApiObject(chart, `namespace-${name}`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { ...labelsOf(), ...RESTRICTED } },
    } satisfies INamespace)
  }
}
