import { setTimeout as delay } from 'node:timers/promises'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import type { FailedBackend, GatewayAnswer, InvokeOptions } from './gateway-answer.ts'
import { Slots } from './limits/slots.ts'
import { PaidCalls } from './paid-calls.ts'
import type { GatewayDeps } from './ports.ts'
import { ModelFailure } from './providers/failure.ts'
import type { ModelRequest } from './request.ts'
import { type Candidate, type FallbackCause, type Routing, routeRequest } from './routing/candidates.ts'

const DEFAULT_BREAKER = { failures: 5, cooldownSeconds: 30 }
/** When every backend says that it is too much, they are asked again after what they say; so often, and no later. */
const ROUNDS = 4
const LONGEST_RETRY_MS = 60_000

/**
 * The one way to a model. It decides who is asked, asks the policies, waits for a place, keeps the money, asks, and records what
 * came of it; when that fails it asks the next one. What it throws is of the catalogue: SW_NO_MODEL, SW_MODELS_FAILED,
 * SW_OVER_BUDGET, SW_DENIED_BY_POLICY.
 */
export class Gateway {
  readonly #deps: GatewayDeps
  readonly #slots = new Map<string, Slots>()
  readonly #calls: PaidCalls

  constructor(deps: GatewayDeps) {
    this.#deps = deps
    this.#calls = new PaidCalls(deps)
  }

  /** Who would be asked, in which order, and why not others. Asks nobody. */
  route(request: ModelRequest): Routing {
    return routeRequest(request, this.#deps.view(request.asker.namespace, request.route), this.#deps.random())
  }

  async invoke(request: ModelRequest, options: InvokeOptions): Promise<GatewayAnswer> {
    for (let round = 1; ; round++) {
      const tried = await this.#round(request, options)
      if (tried.answer !== null) return tried.answer
      const { failures, retryAfterMs } = tried
      if (retryAfterMs === null || round === ROUNDS) throw failed(tried.routing, failures, tried.error)
      const until = new Date(this.#deps.store.clock.now().getTime() + retryAfterMs)
      options.onWait?.('every provider says it is too much at once', until)
      await delay(retryAfterMs, undefined, { signal: options.signal })
    }
  }

  /** Everything that was to be kept is kept. */
  async settled(): Promise<void> {
    await this.#calls.settled()
  }

  #slotsOf(provider: string): Slots {
    let slots = this.#slots.get(provider)
    if (slots === undefined) {
      slots = new Slots()
      this.#slots.set(provider, slots)
    }
    return slots
  }

  async #round(request: ModelRequest, options: InvokeOptions): Promise<Tried> {
    const routing = this.route(request)
    const failures: FailedBackend[] = []
    let retryAfterMs: number | null = null
    let error: unknown = null
    let lastCause: FallbackCause | null = null
    for (const [index, candidate] of routing.candidates.entries()) {
      if (candidate.on !== null && lastCause !== null && !candidate.on.includes(lastCause)) continue
      try {
        const place = index + 1
        const answer = await this.#ask(request, candidate, { routing, place, failures }, options)
        return { answer, routing, failures, retryAfterMs: null, error: null }
      } catch (thrown) {
        if (options.signal.aborted) throw options.signal.reason
        const found = causeOf(thrown)
        if (found === null) throw thrown
        error = thrown
        lastCause = found === 'policy' ? 'error' : found
        const { provider, model } = candidate
        const reply = thrown instanceof ModelFailure ? thrown.reply : null
        const failure = { provider: provider.name, model, cause: found, message: errorMessage(thrown), reply }
        failures.push(failure)
        this.#deps.metrics.fellBack(found)
        if (thrown instanceof ModelFailure) {
          if (thrown.final) break
          if (thrown.retryAfterMs !== null && thrown.retryAfterMs <= LONGEST_RETRY_MS)
            retryAfterMs = Math.min(retryAfterMs ?? LONGEST_RETRY_MS, Math.max(thrown.retryAfterMs, 1))
        }
        options.onRestart?.(failure)
      }
    }
    return { answer: null, routing, failures, retryAfterMs, error }
  }

  async #ask(
    request: ModelRequest,
    candidate: Candidate,
    of: { readonly routing: Routing; readonly place: number; readonly failures: readonly FailedBackend[] },
    options: InvokeOptions,
  ): Promise<GatewayAnswer> {
    const { provider, model } = candidate
    const { spec } = provider
    const { asker, taskClass, privacy } = request
    await this.#deps.gate({ asker, provider: provider.name, class: provider.class, model, taskClass, privacy })
    const leave = await this.#slotsOf(provider.name).enter(
      spec.concurrency ?? (spec.server === undefined ? 64 : 1),
      request.urgency,
      options.signal,
    )
    try {
      const { breaker } = spec
      return await this.#deps.breakers({
        provider: provider.name,
        timeoutMs: parseDuration(spec.timeout ?? '2m'),
        settings:
          breaker === undefined
            ? DEFAULT_BREAKER
            : { failures: breaker.failures, cooldownSeconds: parseDuration(breaker.cooldown) / 1000 },
        run: () => this.#calls.call(request, candidate, of, options),
        counts: (error) =>
          error instanceof ModelFailure &&
          (error.cause_ === 'error' || error.cause_ === 'timeout') &&
          !error.final &&
          !error.isOfQuestion,
      })
    } finally {
      leave()
    }
  }
}

interface Tried {
  readonly answer: GatewayAnswer | null
  readonly routing: Routing
  readonly failures: readonly FailedBackend[]
  /** All that failed; one of them says when it may be asked again. */
  readonly retryAfterMs: number | null
  readonly error: unknown
}

/** Null = it says nothing of the backend: nobody else is asked. */
function causeOf(error: unknown): FailedBackend['cause'] | null {
  if (error instanceof ModelFailure) return error.cause_
  if (!(error instanceof StatewardError)) return null
  switch (error.ref) {
    case 'SW_BREAKER_OPEN':
    case 'SW_SECRET_MISSING':
      return 'error'
    case 'SW_DENIED_BY_POLICY':
    case 'SW_NEEDS_APPROVAL':
      return 'policy'
    default:
      return null
  }
}

function failed(routing: Routing, failures: readonly FailedBackend[], last: unknown): Error {
  const { candidates, skipped, complexity, route } = routing
  const why = skipped.map(({ provider, model, why: of }) => `${nameOf(provider, model)}: ${of}`)
  if (candidates.length === 0)
    return fail(
      'SW_NO_MODEL',
      why.length === 0
        ? `no model is there for it (complexity ${complexity}${route === null ? '' : `, route ${route}`})`
        : `no model fits: ${why.join('; ')}`,
      { details: { skipped } },
    )
  const said = failures.map(({ provider, model, message }) => `${nameOf(provider, model)}: ${message}`).join('; ')
  const details = { failures: failures.map(({ reply: _, ...failure }) => failure), skipped }
  if (failures.every(({ cause }) => cause === 'budget'))
    return fail('SW_OVER_BUDGET', `a model cannot be paid: ${said}`, {
      details,
      remedy: 'raise maxUsd of the budget, or declare one: without a budget no model is paid',
    })
  if (failures.length === 1 && last instanceof StatewardError) return last
  return fail('SW_MODELS_FAILED', `no model answered: ${said}`, { details })
}

const nameOf = (provider: string, model: string | null): string => (model === null ? provider : `${provider}/${model}`)
