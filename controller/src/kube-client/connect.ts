import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { type KubeClient, kubeClient } from './kube-client.ts'

/** Which cluster, and as whom. */
export interface ClusterConnection {
  /** A kubeconfig, or several joined as in KUBECONFIG; null = as a pod of the cluster, else `~/.kube/config`. */
  readonly kubeconfig: string | null
  /** null = the current one. */
  readonly context: string | null
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/**
 * A client of the cluster that the configuration names; nothing is asked of it yet. Throws SW_CLUSTER_CONFIG when there is no
 * such file, context or cluster. The library is large: it is loaded here, by whoever has a cluster.
 */
export async function connectCluster({ kubeconfig, context }: ClusterConnection): Promise<KubeClient> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (kubeconfig !== null) {
      for (const file of kubeconfig.split(delimiter).filter((part) => part !== '')) {
        const one = new KubeConfig()
        one.loadFromFile(file)
        if (config.getContexts().length === 0) config.loadFromOptions(optionsOf(one))
        else config.mergeConfig(one, true)
      }
    } else if (existsSync(SERVICE_ACCOUNT_TOKEN)) config.loadFromCluster()
    else config.loadFromDefault()
  } catch (error) {
    throw fail('SW_CLUSTER_CONFIG', `${kubeconfig ?? 'the kubeconfig'} cannot be read: ${errorMessage(error)}`, {
      cause: error,
    })
  }
  if (context !== null) config.setCurrentContext(context)
  const current = config.getCurrentContext()
  if (config.getContextObject(current) === null)
    throw fail(
      'SW_CLUSTER_CONFIG',
      `there is no context ${JSON.stringify(current ?? '')} in ${kubeconfig ?? 'the kubeconfig'}`,
    )
  if (config.getCurrentCluster() === null)
    throw fail(
      'SW_CLUSTER_CONFIG',
      `context ${current} names a cluster that ${kubeconfig ?? 'the kubeconfig'} does not have`,
    )
  return kubeClient(config)
}

function optionsOf(config: {
  getClusters(): unknown
  getUsers(): unknown
  getContexts(): unknown
  getCurrentContext(): string
}) {
  return {
    clusters: config.getClusters(),
    users: config.getUsers(),
    contexts: config.getContexts(),
    currentContext: config.getCurrentContext(),
  }
}
