import type { FALLBACK_CAUSES, RouteRule } from '../../kinds/model-route/model-route.schema.ts'
import { parseUsd } from '../../lib/usd.ts'
import { answerLimit, estimateTokens, worstPrice } from '../pricing.ts'
import type { Complexity, ModelRequest } from '../request.ts'
import { speaks } from '../wire/question.ts'
import { complexityOf, LAYER_OF } from './complexity.ts'
import type { ProviderView, RoutingView } from './view.ts'

export type FallbackCause = (typeof FALLBACK_CAUSES)[number]

/** Who is asked, in this order. */
export interface Candidate {
  readonly provider: ProviderView
  readonly model: string
  /** Asked only when those before it failed by one of these; null = whatever it was. */
  readonly on: readonly FallbackCause[] | null
  /** What decided: `environment`, `blueprint`, `route default, rule 2`, `fallback 1` … */
  readonly by: string
}

export interface Skipped {
  readonly provider: string
  readonly model: string | null
  readonly why: string
}

export interface Routing {
  readonly complexity: Complexity
  readonly route: string | null
  /** Its name, or its number from 1. */
  readonly rule: string | null
  readonly candidates: readonly Candidate[]
  readonly skipped: readonly Skipped[]
}

interface Backend {
  readonly provider: string
  readonly model: string | null
  readonly weight: number | null
  readonly on: readonly FallbackCause[] | null
  readonly by: string
}

/**
 * Who is to answer a request, the first first. Pure: `chance`, at least 0 and below 1, decides between backends with weights.
 * What the environment says comes before what the request (its blueprint or agent) says, and that before the route.
 */
export function routeRequest(request: ModelRequest, view: RoutingView, chance: number): Routing {
  const complexity = request.complexity ?? complexityOf(request)
  const { environment, route } = view
  const wanted = {
    provider: environment.provider ?? request.provider,
    model: environment.model ?? (environment.provider === null ? request.model : null),
  }
  const said = environment.provider !== null || environment.model !== null ? 'environment' : 'request'
  const rule = route === null ? null : ruleFor(route.spec.rules, request, complexity, environment.stage)
  const ruleName = rule === null ? null : (rule.rule.name ?? String(rule.index + 1))
  const fallbacks: Backend[] =
    said === 'environment' && environment.provider !== null
      ? []
      : (route?.spec.fallbacks ?? []).map(({ provider, model = null, on = null }, i) => ({
          ...{ provider, model, on, weight: null },
          by: `fallback ${i + 1}`,
        }))
  const skipped: Skipped[] = []
  let first: Backend[]
  if (wanted.provider !== null)
    first = [{ provider: wanted.provider, model: wanted.model, weight: null, on: null, by: said }]
  else if (rule !== null)
    first = ordered(rule.rule, view, chance).map((backend) => ({
      ...backend,
      by: `route ${route!.name}, rule ${ruleName}`,
    }))
  else if (route === null) first = everybody(view, wanted.model)
  else first = []
  const isNamed = (backend: Backend) => wanted.provider !== null && backend.by === said
  const candidates: Candidate[] = []
  for (const backend of [...first, ...fallbacks]) {
    const named = backend.by.startsWith('fallback')
      ? backend
      : { ...backend, model: isNamed(backend) ? backend.model : (wanted.model ?? backend.model) }
    const found = candidateOf(named, request, view, complexity, wanted.model !== null && !isNamed(backend))
    if ('why' in found) skipped.push(found)
    else if (!candidates.some(({ provider, model }) => provider.name === found.provider.name && model === found.model))
      candidates.push(found)
  }
  // Who is asked only when nobody else could answer stands behind all others, unless somebody named it.
  const isLast = ({ provider, by }: Candidate) => provider.fallbackOnly && by !== 'environment' && by !== 'request'
  return {
    complexity,
    route: route?.name ?? null,
    rule: ruleName,
    candidates: [...candidates.filter((one) => !isLast(one)), ...candidates.filter(isLast)],
    skipped,
  }
}

function ruleFor(
  rules: readonly RouteRule[],
  request: ModelRequest,
  complexity: Complexity,
  stage: string,
): { readonly rule: RouteRule; readonly index: number } | null {
  const fits = (list: readonly string[] | undefined, value: string | null): boolean =>
    list === undefined || (value !== null && list.includes(value))
  const index = rules.findIndex(({ match = {} }) => {
    const most = match.maxUsd === undefined ? null : parseUsd(match.maxUsd)
    return (
      fits(match.taskClass, request.taskClass) &&
      fits(match.complexity, complexity) &&
      fits(match.agentClass, request.asker.agentClass) &&
      fits(match.stage, stage) &&
      fits(match.privacy, request.privacy) &&
      (most === null || (request.maxNanoUsd !== null && request.maxNanoUsd <= most))
    )
  })
  return index === -1 ? null : { rule: rules[index]!, index }
}

function ordered(rule: RouteRule, view: RoutingView, chance: number): Omit<Backend, 'by'>[] {
  const backends = rule.backendRefs.map(({ provider, model = null, weight = null }) => ({
    ...{ provider, model, weight },
    on: null,
  }))
  if (backends.some(({ weight }) => weight !== null)) return byWeight(backends, chance)
  switch (rule.order ?? 'priority') {
    case 'listed':
      return backends
    case 'price':
      return backends.toSorted((a, b) => compare(priceOf(a, view), priceOf(b, view)))
    default:
      return backends.toSorted((a, b) => byPriority(view.providers.get(a.provider), view.providers.get(b.provider)))
  }
}

/** The one that chance takes first, the others by weight. A weight of 0 is never taken by chance. */
function byWeight<B extends { readonly weight: number | null }>(backends: readonly B[], chance: number): B[] {
  const weightOf = ({ weight }: B): number => weight ?? 1
  let point = chance * backends.reduce((sum, one) => sum + weightOf(one), 0)
  const taken = backends.find((one) => {
    point -= weightOf(one)
    return point < 0
  })
  const others = backends.filter((one) => one !== taken).toSorted((a, b) => weightOf(b) - weightOf(a))
  return taken === undefined ? others : [taken, ...others]
}

const compare = (a: bigint | null, b: bigint | null): number =>
  a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1

function priceOf({ provider, model }: Pick<Backend, 'provider' | 'model'>, view: RoutingView): bigint | null {
  const prices = view.providers.get(provider)?.prices(model ?? '') ?? null
  return prices === null ? null : prices.input + prices.output
}

/** Local before cloud, then the lowest priority, then the name. */
export function byPriority(a: ProviderView | undefined, b: ProviderView | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
  if (a.class !== b.class) return a.class === 'local' ? -1 : 1
  return a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}

function everybody(view: RoutingView, model: string | null): Backend[] {
  return [...view.providers.values()]
    .toSorted(byPriority)
    .map(({ name }) => ({ provider: name, model, weight: null, on: null, by: 'priority' }))
}

/** `mustHave`: a model that somebody named goes only to providers that say they have it, or that list none. */
function candidateOf(
  backend: Backend,
  request: ModelRequest,
  view: RoutingView,
  complexity: Complexity,
  mustHave: boolean,
): Candidate | Skipped {
  const { provider: name, on, by } = backend
  const provider = view.providers.get(name)
  const no = (why: string, model: string | null = backend.model): Skipped => ({ provider: name, model, why })
  if (provider === undefined) return no('there is no such ModelProvider')
  if (provider.suspended) return no('it is suspended')
  if (request.privacy === 'localOnly' && provider.class !== 'local')
    return no('the text may go to local providers alone')
  const { wire } = request
  if (wire !== undefined && wire.untold.length > 0 && !speaks(provider.spec, wire))
    return no(`it cannot be told of ${wire.untold.join(', ')} in a request for ${wire.format}`)
  const model = backend.model ?? modelFor(provider, complexity)
  if (model === null) return no('it lists no model, and none was asked for')
  const listed = provider.models.find((one) => one.name === model)
  if (mustHave && !by.startsWith('fallback') && listed === undefined && provider.models.length > 0)
    return no('it does not have that model')
  const prices = provider.prices(model)
  if (prices === null) return no('nobody says what it costs: give it pricing', model)
  const tokens = estimateTokens(request)
  const answer = answerLimit(request, listed) ?? 0
  if (listed?.contextLength !== undefined && tokens + answer > listed.contextLength)
    return no(`about ${tokens + answer} tokens do not fit into its ${listed.contextLength}`, model)
  if (request.maxNanoUsd !== null && worstPrice(request, listed, prices) > request.maxNanoUsd)
    return no('it may cost more than the request may', model)
  return { provider, model, on, by }
}

/** The model of the layer that the complexity asks for, else the next one up, else the first. */
function modelFor({ models }: ProviderView, complexity: Complexity): string | null {
  const layers = ['operational', 'tactical', 'strategic'] as const
  const wanted = layers.indexOf(LAYER_OF[complexity])
  for (const layer of [...layers.slice(wanted), ...layers.slice(0, wanted).reverse()]) {
    const found = models.find((model) => model.layer === layer)
    if (found !== undefined) return found.name
  }
  return models[0]?.name ?? null
}
