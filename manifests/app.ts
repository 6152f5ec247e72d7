import { App, Chart } from 'cdk8s'
import { DEFAULT_INSTALLATION, type Installation } from './installation.ts'
import { addAccess } from './parts/access.ts'
import { addConfiguration } from './parts/configuration.ts'
import { addController } from './parts/controller.ts'
import { addMonitoring } from './parts/monitoring.ts'
import { addNamespaces } from './parts/namespaces.ts'
import { addNetworkPolicies } from './parts/network.ts'
import { addWorkers } from './parts/worker.ts'

/** An object as it is given to a cluster. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
  readonly [field: string]: unknown
}

/** Everything of an installation but the CustomResourceDefinitions, which are in crds/. In the order in which it can be applied. */
export function installationManifests(installation: Installation = DEFAULT_INSTALLATION): Manifest[] {
  // Without the resolvers of the library: nothing here is resolved late.
  const app = new App()
  const chart = new Chart(app, 'stateward', { disableResourceNameHashes: true })
  addNamespaces(chart, installation)
  addAccess(chart, installation)
  addConfiguration(chart, installation)
  addController(chart, installation)
  addWorkers(chart, installation)
  addNetworkPolicies(chart, installation)
  addMonitoring(chart, installation)
  return chart.toJson() as Manifest[]
}
