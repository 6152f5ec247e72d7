/** What one installation on a cluster is made of. The chart's values have the same defaults; a test compares the two. */
export interface Installation {
  /** The namespace of Stateward itself. It and the agents' one are made with the installation. */
  readonly namespace: string
  /** Where agents run as pods: nothing else should be in it. */
  readonly agentsNamespace: string
  readonly image: string
  /** The state repo: a URL; null = the one in the data folder. */
  readonly repo: string | null
  readonly ref: string
  /** Whether custom resources say what is wanted: beside the state repo, or instead of one. */
  readonly clusterSource: 'none' | 'add' | 'only'
  /** The Secret with `url`, and perhaps `directUrl` and `ownerUrl`, of the Postgres that all processes share. */
  readonly databaseSecret: string
  /** A Secret whose entries become variables: `STATEWARD_SECRET_…`, keys of model providers. It may be missing. */
  readonly environmentSecret: string
  readonly dataSize: string
  /** Namespaces that Prometheus scrapes from, by the label `kubernetes.io/metadata.name`. */
  readonly monitoringNamespace: string
  readonly workers: { readonly min: number; readonly max: number; readonly cpuPercent: number }
  readonly ports: { readonly http: number; readonly streams: number; readonly tls: number }
}

export const DEFAULT_INSTALLATION: Installation = {
  namespace: 'stateward',
  agentsNamespace: 'stateward-agents',
  image: 'stateward:0.1.0',
  repo: null,
  ref: 'main',
  clusterSource: 'add',
  databaseSecret: 'stateward-database',
  environmentSecret: 'stateward-environment',
  dataSize: '20Gi',
  monitoringNamespace: 'monitoring',
  workers: { min: 2, max: 10, cpuPercent: 70 },
  ports: { http: 8088, streams: 8089, tls: 8090 },
}

export const NAME = 'stateward'
export const AGENT = 'stateward-agent'

export type Component = 'controller' | 'worker'

/** The name of everything that is one component's. */
export function nameOf(component: Component): string {
  return component === 'controller' ? NAME : `${NAME}-${component}`
}

/** What selects the pods of a component; never changes, since selectors cannot. */
export function selectorOf(component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': NAME,
    'app.kubernetes.io/instance': NAME,
    'app.kubernetes.io/component': component,
  }
}

export function labelsOf(component?: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': NAME,
    'app.kubernetes.io/instance': NAME,
    'app.kubernetes.io/part-of': NAME,
    ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }),
  }
}

/** What every pod of an agent carries. */
export const AGENT_PODS = { 'app.kubernetes.io/managed-by': 'stateward', 'app.kubernetes.io/component': 'agent' }
