import type { Caller } from '../api/caller.ts'
import type { ModelQuestion, ModelVerbs, ProviderSummary, RouteExplanation } from '../api/ports/models.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Gateway } from '../models/gateway.ts'
import { worstPrice } from '../models/pricing.ts'
import type { ModelRequest } from '../models/request.ts'
import { byPriority } from '../models/routing/candidates.ts'
import { readyOf } from '../status/summarize.ts'
import { breakerOf } from '../store/queries/breakers.ts'
import { factsOfProvider, modelCallById } from '../store/queries/model-calls.ts'
import type { Core } from './core.ts'
import { routingView } from './models.ts'

const DAY_MS = 86_400_000
/** Nobody waits longer for an answer over the API. */
const ASK_MS = 300_000

/** Models as the API offers them. */
export function modelVerbs(core: Core): ModelVerbs {
  const { store, world, parts } = core
  const view = routingView(world)
  const gateway = (): Gateway => {
    if (parts.gateway === null) throw fail('SW_NOT_READY', 'models are not there yet')
    return parts.gateway
  }
  return {
    async providers() {
      const since = new Date(store.clock.now().getTime() - DAY_MS)
      const all = [...view('default', null).providers.values()].sort(byPriority)
      return Promise.all(
        all.map(async (one): Promise<ProviderSummary> => {
          const [facts, breaker] = await Promise.all([
            factsOfProvider(store.reader, one.name, since),
            breakerOf(store.reader, { kind: 'ModelProvider', namespace: '', name: one.name }),
          ])
          const object = world.get(`ModelProvider/${one.name}`)
          const ready = object === undefined ? null : readyOf(object.status)
          return {
            name: one.name,
            type: one.spec.type,
            class: one.class,
            priority: one.priority,
            fallbackOnly: one.fallbackOnly,
            suspended: one.suspended,
            ready: ready?.status === 'True',
            message: ready?.message ?? 'not looked at yet',
            breaker: breaker?.state ?? 'closed',
            calls: facts.calls,
            failures: facts.failures,
            loaded: parts.modelServers?.loaded(one.name) ?? [],
            models: one.models.map(({ name, layer, maxTokens, temperature, contextLength }) => ({
              name,
              layer: layer ?? null,
              maxTokens: maxTokens ?? null,
              temperature: temperature ?? null,
              contextLength: contextLength ?? null,
              prices: one.prices(name),
            })),
          }
        }),
      )
    },
    explain(question, caller): RouteExplanation {
      const request = requestOf(question, caller)
      const { complexity, route, rule, candidates, skipped } = gateway().route(request)
      return {
        complexity,
        route,
        rule,
        candidates: candidates.map(({ provider, model, by, on }) => ({
          provider: provider.name,
          providerType: provider.spec.type,
          class: provider.class,
          model,
          by,
          on,
          atMost: worstPrice(
            request,
            provider.models.find(({ name }) => name === model),
            provider.prices(model) ?? { input: 0n, output: 0n },
          ),
        })),
        skipped,
      }
    },
    async ask(question, caller) {
      const answer = await gateway().invoke(requestOf(question, caller), { signal: AbortSignal.timeout(ASK_MS) })
      const call = await modelCallById(store.engine, answer.callId)
      if (call === null) throw fail('SW_INTERNAL', `the record of call ${answer.callId} is gone`)
      return { text: answer.text, call }
    },
  }
}

function requestOf(question: ModelQuestion, caller: Caller): ModelRequest {
  const { namespace, prompt, system, route, provider, model, taskClass, complexity, privacy, maxTokens } = question
  const own = `agent:${namespace}/`
  return {
    ...{ system, route, provider, model, taskClass, complexity, privacy, maxTokens },
    asker: {
      namespace,
      actor: caller.actor,
      correlationId: caller.correlationId,
      agent: caller.actor.startsWith(own) ? caller.actor.slice(own.length) : null,
      agentClass: null,
      run: null,
      blueprint: null,
      step: null,
      stepId: null,
      taskId: null,
      turn: null,
      revision: null,
    },
    messages: [{ role: 'user', text: prompt }],
    tools: [],
    outputSchema: null,
    temperature: null,
    maxNanoUsd: null,
    urgency: 3,
    withoutMoney: 'fail',
  }
}
