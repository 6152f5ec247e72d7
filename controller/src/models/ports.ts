import type { SecretReader } from '../kinds/secret-ref.ts'
import type { JsonObject } from '../lib/json.ts'
import type { AgentLineage } from '../store/queries/spenders.ts'
import type { Store } from '../store/store.ts'
import type { KnownSecrets } from '../telemetry/known-secrets.ts'
import type { Asker } from './request.ts'
import type { RoutingView } from './routing/view.ts'

/** What the models need from elsewhere; `build` plugs it in. */

/** Whether the policies let a provider be asked. Throws SW_DENIED_BY_POLICY or SW_NEEDS_APPROVAL when they do not. */
export type CallGate = (question: {
  readonly asker: Asker
  readonly provider: string
  readonly class: 'local' | 'cloud'
  readonly model: string
  readonly taskClass: string | null
  readonly privacy: string
}) => Promise<void>

/** Calls unless the breaker of the provider is open: then SW_BREAKER_OPEN. */
export type ProviderBreakers = <T>(call: {
  readonly provider: string
  readonly timeoutMs: number
  readonly settings: { readonly failures: number; readonly cooldownSeconds: number }
  readonly run: () => Promise<T>
  readonly counts: (error: unknown) => boolean
}) => Promise<T>

/** Keeps a text as an artifact, secrets taken out. */
export type TextKeeper = (text: {
  readonly artifactId: string
  readonly name: string
  readonly kind: 'prompt' | 'response'
  readonly text: string
  readonly asker: Asker
  readonly metadata: JsonObject
}) => Promise<void>

export interface ModelMetrics {
  called(type: string, of: 'local' | 'cloud', outcome: 'completed' | 'failed', seconds: number): void
  tokens(of: 'local' | 'cloud', direction: 'input' | 'output', count: number): void
  fellBack(cause: string): void
}

/** The programs that serve models of this machine. */
export interface ModelServers {
  /** Resolves when the server of the provider answers with that model. Throws a ModelFailure when it does not in time. */
  ready(provider: string, model: string, signal: AbortSignal): Promise<void>
  /** A call of it has ended: from now on it is idle. */
  used(provider: string, model: string): void
}

export interface GatewayDeps {
  readonly store: Store
  readonly view: (namespace: string, route: string | null) => RoutingView
  /** For whom an agent works, and who stands above it, as far as this process has heard. */
  readonly lineage: (namespace: string, agent: string) => AgentLineage
  readonly secrets: SecretReader
  readonly known: KnownSecrets
  /** Variables of the process. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly gate: CallGate
  readonly breakers: ProviderBreakers
  readonly keepText: TextKeeper
  readonly metrics: ModelMetrics
  readonly servers: ModelServers
  /** At least 0 and below 1. */
  readonly random: () => number
}
