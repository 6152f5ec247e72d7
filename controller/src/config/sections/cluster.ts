import { duration, optionalText } from './parts.ts'

// The Kubernetes cluster beside or instead of the state repo.

const CLUSTER_SOURCES = ['none', 'add', 'only'] as const

export const clusterSection = {
  type: 'object',
  properties: {
    kubeconfig: {
      ...optionalText,
      description:
        'How a Kubernetes cluster is reached; several files are joined with `:`. Unset: as a pod of the cluster, else ~/.kube/config.',
    },
    context: { ...optionalText, description: 'The context of the kubeconfig. Unset: its current one.' },
    source: {
      type: 'string',
      enum: CLUSTER_SOURCES,
      default: 'none',
      description:
        'Whether the custom resources of the cluster say what is wanted: `add`, beside the state repo; `only`, instead of one.',
    },
    namespaces: {
      type: 'array',
      items: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' },
      uniqueItems: true,
      default: [],
      description: 'Namespaces whose custom resources are read. Empty: all.',
    },
    deletionDeadline: {
      ...duration,
      default: '5m',
      description:
        'A custom resource that is deleted goes after this long, whether what it stands for has ended or not.',
    },
  },
  required: ['kubeconfig', 'context', 'source', 'namespaces', 'deletionDeadline'],
  additionalProperties: false,
} as const

export const podsSection = {
  type: 'object',
  properties: {
    namespace: {
      ...optionalText,
      description: 'The namespace of the cluster in which agents run as pods. Unset: none do.',
    },
    url: { ...optionalText, description: 'Where pods find the API of the process that leads.' },
    image: {
      ...optionalText,
      description: 'An image with sh and git, as this one is: it brings pods the files of their workdir.',
    },
  },
  required: ['namespace', 'url', 'image'],
  additionalProperties: false,
} as const
