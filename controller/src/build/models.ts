import { Buffer } from 'node:buffer'
import { join } from 'node:path'
import { ToolBreakers } from '../breakers/tool-breakers.ts'
import { pricesOf, providerClass } from '../kinds/model-provider/model-provider.kind.ts'
import type { ModelProviderSpec } from '../kinds/model-provider/model-provider.schema.ts'
import type { ModelRouteSpec } from '../kinds/model-route/model-route.schema.ts'
import { type SecretRef, secretName, secretText } from '../kinds/secret-ref.ts'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { Gateway } from '../models/gateway.ts'
import type { CallGate, ModelServers, ProviderBreakers, TextKeeper } from '../models/ports.ts'
import type { ProviderView, RouteView, RoutingView } from '../models/routing/view.ts'
import { AlwaysLoaded } from '../models/servers/always-loaded.ts'
import { LocalServers } from '../models/servers/local-servers.ts'
import { serverSpawner } from '../models/servers/server-process.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import { keepArtifact } from '../records/artifacts/artifacts.ts'
import type { Core } from './core.ts'
import { lineageIn } from './lineage.ts'
import { detailsOf, nameOf } from './policies.ts'

/** The way to models for everybody in this process. */
export function makeGateway(core: Core, servers: ModelServers): Gateway {
  const { store, metrics, secrets, known, environment } = core
  const { stateward } = metrics
  return new Gateway({
    store,
    view: routingView(core.world),
    lineage: (namespace, agent) => lineageIn(core.world, namespace, agent),
    secrets,
    known,
    environment,
    gate: callGate(core),
    breakers: providerBreakers(core),
    keepText: textKeeper(core),
    metrics: {
      called: (type, of, outcome, seconds) => stateward.modelCalled(type, of, outcome, seconds),
      tokens: (of, direction, count) => stateward.modelTokens(of, direction, count),
      fellBack: (cause) => stateward.modelFellBack(cause),
    },
    servers,
    random: Math.random,
  })
}

/** Programs of this machine that serve models. */
export function makeModelServers({ world, log, environment, folder, secrets }: Core): LocalServers {
  const view = routingView(world)
  const secretOf = async (ref: SecretRef, provider: string): Promise<string> => {
    const secret = secretName(ref)
    const value = await secrets.read(secret, { consumer: `modelprovider:${provider}`, namespace: 'default' })
    if (value === null) throw fail('SW_SECRET_MISSING', `secret ${secretText(secret)} is not there`)
    return value
  }
  return new LocalServers({
    provider: (name) => view('default', null).providers.get(name) ?? null,
    programs: serverSpawner(join(folder.root, 'models'), environment, secretOf),
    log,
  })
}

/** Models that are always to be there, and whether they are. */
export function makeAlwaysLoaded({ world }: Core, servers: LocalServers): AlwaysLoaded {
  const view = routingView(world)
  return new AlwaysLoaded(servers, () => view('default', null).providers)
}

/** What routing knows of the accepted state; providers are worked out once for each state of the world. */
export function routingView(world: World): (namespace: string, route: string | null) => RoutingView {
  let known: { readonly version: number; readonly providers: ReadonlyMap<string, ProviderView> } | null = null
  return (namespace, route) => {
    if (known?.version !== world.version) known = { version: world.version, providers: providersOf(world) }
    return {
      providers: known.providers,
      environment: environmentView(world, namespace),
      route: routeNamed(world, namespace, route),
    }
  }
}

function providersOf(world: World): ReadonlyMap<string, ProviderView> {
  const views = [...world.ofKind('ModelProvider').values()]
    .filter(({ deleting }) => !deleting)
    .map((object): [string, ProviderView] => [object.name, providerView(object, world.effective(object))])
  return new Map(views)
}

export function providerView(object: Pick<WorldObject, 'name' | 'uid'>, effective: JsonObject): ProviderView {
  const spec = effective as unknown as ModelProviderSpec
  return {
    name: object.name,
    uid: object.uid,
    spec,
    class: providerClass(effective),
    priority: spec.priority ?? 100,
    fallbackOnly: spec.fallbackOnly ?? false,
    models: spec.models ?? [],
    suspended: spec.suspend ?? false,
    prices: (model) => pricesOf(effective, model),
  }
}

/** SW_NOT_FOUND for a route that was named and is not there. */
function routeNamed(world: World, namespace: string, name: string | null): RouteView | null {
  const object = world.get(`ModelRoute/${namespace}/${name ?? 'default'}`)
  if (object === undefined || object.deleting) {
    if (name === null) return null
    throw fail('SW_NO_MODEL', `there is no ModelRoute ${namespace}/${name}`)
  }
  const effective = world.effective(object)
  if (effective['suspend'] === true && name === null) return null
  return { name: object.name, spec: effective as unknown as ModelRouteSpec }
}

function environmentView(world: World, namespace: string): RoutingView['environment'] {
  const object = world.get(`Environment/${namespace}`)
  const spec = object === undefined || object.deleting ? {} : world.effective(object)
  const models = isObject(spec['models']) ? spec['models'] : {}
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  return {
    stage: (text(spec['stage']) ?? 'dev') as 'dev' | 'test' | 'prod',
    provider: text(models['provider']),
    model: text(models['model']),
  }
}

/** Point `model_call`, action `model.call`. Nobody can be asked first: what needs an approval is refused. */
function callGate({ policies, store }: Core): CallGate {
  return async ({ asker, provider, class: of, model, taskClass, privacy }) => {
    if (!policies.engine.asks(asker.namespace)) return
    const question = policies.request({
      point: 'model_call',
      action: 'model.call',
      actor: asker.actor,
      resource: { type: 'model_provider', namespace: asker.namespace, name: provider },
      labels: {},
      risk: of === 'cloud' ? 'medium' : 'low',
      data: {
        model,
        class: of,
        privacy,
        task_class: taskClass,
        agent: asker.agent,
        run: asker.run?.name ?? null,
        step: asker.step,
        turn: asker.turn,
      },
      at: store.clock.now(),
    })
    const about = { correlationId: asker.correlationId, runId: asker.run?.id ?? null, stepId: asker.stepId }
    const verdict = await policies.engine.decide(question, about)
    if (verdict.effect === 'allow') return
    const details = detailsOf(verdict, verdict.decisionId)
    const what = `${nameOf(verdict)} ${verdict.effect === 'deny' ? 'denies' : 'asks for approval of'} model.call of provider ${provider}`
    if (verdict.effect === 'deny') throw fail('SW_DENIED_BY_POLICY', `${what}: ${verdict.reason}`, { details })
    const { approvals } = verdict.requirements
    if (approvals.every((approval) => policies.ofRuns.meets(approval, asker.namespace, [asker.actor]))) return
    throw fail('SW_NEEDS_APPROVAL', `${what}: ${verdict.reason}`, { details })
  }
}

function providerBreakers({ store }: Core): ProviderBreakers {
  const breakers = new ToolBreakers(store, 'ModelProvider')
  return ({ provider, ...call }) => breakers.call({ ...call, namespace: '', tool: provider })
}

function textKeeper({ artifacts }: Core): TextKeeper {
  return async ({ artifactId, name, kind, text, asker, metadata }) => {
    const bytes = Buffer.from(text, 'utf8')
    await keepArtifact(
      artifacts,
      {
        artifactId,
        name,
        kind,
        contentType: 'application/json',
        byteLength: null,
        runId: asker.run?.id ?? null,
        stepId: asker.stepId,
        metadata,
      },
      once(bytes),
      { actor: asker.actor, correlationId: asker.correlationId },
    )
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}
