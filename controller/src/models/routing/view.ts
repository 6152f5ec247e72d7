import type { ModelProviderSpec, ModelSpec } from '../../kinds/model-provider/model-provider.schema.ts'
import type { ModelRouteSpec } from '../../kinds/model-route/model-route.schema.ts'

/** What routing knows of the accepted state. */

export interface Prices {
  /** Nano-USD for a million tokens. */
  readonly input: bigint
  readonly output: bigint
}

export interface ProviderView {
  readonly name: string
  readonly uid: string
  readonly spec: ModelProviderSpec
  readonly class: 'local' | 'cloud'
  readonly priority: number
  readonly fallbackOnly: boolean
  readonly models: readonly ModelSpec[]
  readonly suspended: boolean
  /** Null = nobody says what the model costs. */
  readonly prices: (model: string) => Prices | null
}

export interface RouteView {
  readonly name: string
  readonly spec: ModelRouteSpec
}

/** What the environment of a namespace says. */
export interface EnvironmentView {
  readonly stage: 'dev' | 'test' | 'prod'
  /** It comes before whatever anybody else says. */
  readonly provider: string | null
  readonly model: string | null
}

export interface RoutingView {
  readonly providers: ReadonlyMap<string, ProviderView>
  readonly environment: EnvironmentView
  /** The route that was asked for, else the one named `default`; null = there is none. */
  readonly route: RouteView | null
}
