import type { Chart } from 'cdk8s'
import { ApiObject } from 'cdk8s'
import type {
  INetworkPolicy,
  INetworkPolicyEgressRule,
  INetworkPolicyPeer,
  INetworkPolicyPort,
} from 'kubernetes-models/networking.k8s.io/v1'
import { AGENT, AGENT_PODS, type Installation, labelsOf, NAME } from '../installation.ts'

/** Who speaks to whom. A cluster whose network plugin knows no policies lets everybody. */
export function addNetworkPolicies(chart: Chart, installation: Installation): void {
  const { namespace, agentsNamespace, ports, monitoringNamespace } = installation
  const tcp = (...numbers: number[]): INetworkPolicyPort[] => numbers.map((port) => ({ protocol: 'TCP', port }))
  const ours = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/instance': NAME }
  new ApiObject(chart, 'network', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: NAME, namespace, labels: labelsOf() },
    spec: {
      podSelector: { matchLabels: ours },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [namespacePeer(namespace), namespacePeer(agentsNamespace)],
          ports: tcp(ports.http, ports.streams, ports.tls),
        },
        { from: [namespacePeer(monitoringNamespace)], ports: tcp(ports.http) },
      ],
      // Names, Git over SSH, models and webhooks, Postgres and a pooler, the API server.
      egress: [DNS, { ports: tcp(22, 443, 5432, 6432, 6443) }],
    },
  } satisfies INetworkPolicy)
  new ApiObject(chart, 'agents-network', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: AGENT, namespace: agentsNamespace, labels: labelsOf() },
    spec: {
      podSelector: { matchLabels: AGENT_PODS },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [
        DNS,
        {
          to: [{ ...namespacePeer(namespace), podSelector: { matchLabels: ours } }],
          ports: tcp(ports.http, ports.streams),
        },
        // Models and APIs, but not what a cloud tells its machines about themselves.
        {
          to: [
            { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
            { ipBlock: { cidr: '::/0', except: ['fe80::/10'] } },
          ],
          ports: tcp(443),
        },
      ],
    },
  } satisfies INetworkPolicy)
}

const DNS: INetworkPolicyEgressRule = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
}

function namespacePeer(name: string): INetworkPolicyPeer {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } }
}
