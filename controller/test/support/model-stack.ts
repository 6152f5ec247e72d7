import { ToolBreakers } from '../../src/breakers/tool-breakers.ts'
import { providerView } from '../../src/build/models.ts'
import type { ModelProviderSpec } from '../../src/kinds/model-provider/model-provider.schema.ts'
import type { ModelRouteSpec } from '../../src/kinds/model-route/model-route.schema.ts'
import { fillDefaults, validateSpec } from '../../src/kinds/validate.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { Gateway } from '../../src/models/gateway.ts'
import type { GatewayDeps } from '../../src/models/ports.ts'
import type { Asker, ModelRequest } from '../../src/models/request.ts'
import type { RoutingView } from '../../src/models/routing/view.ts'
import type { Store } from '../../src/store/store.ts'
import { KnownSecrets } from '../../src/telemetry/known-secrets.ts'

export interface ModelStack {
  readonly gateway: Gateway
  readonly texts: { readonly kind: string; readonly text: string }[]
  readonly fallbacks: string[]
  provider(name: string, spec: ModelProviderSpec): void
  route(spec: ModelRouteSpec | null): void
  environment(models: Partial<RoutingView['environment']>): void
}

/** A gateway over a real database, with providers as they would be accepted. */
export function modelStack(store: Store, more: Partial<GatewayDeps> = {}): ModelStack {
  const providers = new Map<string, ReturnType<typeof providerView>>()
  const texts: { kind: string; text: string }[] = []
  const fallbacks: string[] = []
  let environment: RoutingView['environment'] = { stage: 'dev', provider: null, model: null }
  let route: RoutingView['route'] = null
  const breakers = new ToolBreakers(store, 'ModelProvider')
  const gateway = new Gateway({
    store,
    view: () => ({ providers, environment, route }),
    lineage: (_, agent) => ({ project: null, agents: [agent] }),
    secrets: { read: async () => 'secret-key-of-provider', peek: async () => null },
    known: new KnownSecrets(),
    environment: {},
    gate: async () => undefined,
    breakers: ({ provider, ...call }) => breakers.call({ ...call, namespace: '', tool: provider }),
    keepText: async ({ kind, text }) => void texts.push({ kind, text }),
    metrics: { called: () => {}, tokens: () => {}, fellBack: (cause) => void fallbacks.push(cause) },
    servers: { ready: async () => undefined, used: () => {} },
    random: () => 0,
    ...more,
  })
  return {
    gateway,
    texts,
    fallbacks,
    provider(name, spec) {
      const problems = validateSpec('ModelProvider', spec as unknown as JsonObject)
      if (problems.length > 0) throw new Error(JSON.stringify(problems))
      const filled = fillDefaults('ModelProvider', spec as unknown as JsonObject) as JsonObject
      providers.set(name, providerView({ name, uid: uuidv7() }, filled))
    },
    route(spec) {
      route = spec === null ? null : { name: 'default', spec }
    },
    environment(models) {
      environment = { ...environment, ...models }
    },
  }
}

export const ASKER: Asker = {
  namespace: 'default',
  actor: 'agent:default/sre',
  correlationId: 'c-models',
  agent: 'sre',
  agentClass: null,
  run: null,
  blueprint: null,
  step: null,
  stepId: null,
  taskId: null,
  turn: null,
  revision: null,
}

/** A request with one message of the user. */
export function ask(text: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    asker: ASKER,
    system: null,
    messages: [{ role: 'user', text }],
    tools: [],
    outputSchema: null,
    maxTokens: null,
    temperature: null,
    route: null,
    provider: null,
    model: null,
    taskClass: null,
    complexity: null,
    privacy: 'any',
    maxNanoUsd: null,
    urgency: 5,
    withoutMoney: 'fail',
    ...more,
  }
}
