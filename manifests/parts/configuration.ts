import type { Chart } from 'cdk8s'
import { ApiObject } from 'cdk8s'
import type { IConfigMap } from 'kubernetes-models/v1'
import { type Installation, labelsOf, NAME } from '../installation.ts'

/** The settings that both components share, by the variables of controller/src/config. */
export function addConfiguration(chart: Chart, installation: Installation): void {
  new ApiObject(chart, 'configuration', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: NAME, namespace: installation.namespace, labels: labelsOf() },
    data: variablesOf(installation),
  } satisfies IConfigMap)
}

function variablesOf({
  namespace,
  agentsNamespace,
  image,
  repo,
  ref,
  clusterSource,
  ports,
}: Installation): Record<string, string> {
  return {
    STATEWARD_DATA: '/data',
    STATEWARD_HOST: '0.0.0.0',
    STATEWARD_PORT: String(ports.http),
    STATEWARD_SSE_PORT: String(ports.streams),
    STATEWARD_TLS_PORT: String(ports.tls),
    // Whoever reaches the port is not yet somebody.
    STATEWARD_AUTH_MODE: 'token',
    STATEWARD_LOG_FORMAT: 'json',
    ...(repo === null ? {} : { STATEWARD_REPO: repo }),
    STATEWARD_REF: ref,
    STATEWARD_CLUSTER_SOURCE: clusterSource,
    STATEWARD_PODS_NAMESPACE: agentsNamespace,
    STATEWARD_PODS_URL: `http://${NAME}.${namespace}.svc:${ports.http}`,
    // It has git: it brings pods the files of their workdir.
    STATEWARD_PODS_IMAGE: image,
  }
}
