import { setTimeout as delay } from 'node:timers/promises'
import { secretName, secretText } from '../kinds/secret-ref.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { uuidv7 } from '../lib/ids.ts'
import { traceparentOf } from '../lib/trace-context.ts'
import type { ModelCallRow } from '../store/queries/model-calls.ts'
import type { ModelTurnRow } from '../store/queries/model-loops.ts'
import { type Asked, askModel } from './ask-model.ts'
import { type Begun, beginCall, type CallEnd, endCall, giveUpMoney } from './call-record.ts'
import type { FailedBackend, GatewayAnswer, InvokeOptions } from './gateway-answer.ts'
import type { Purchase, Spent } from './money.ts'
import type { GatewayDeps } from './ports.ts'
import { costOf, estimateTokens, worstPrice } from './pricing.ts'
import { KEY_VARIABLE } from './providers/connect.ts'
import { ModelFailure } from './providers/failure.ts'
import { CallBatches } from './record/call-batches.ts'
import type { ModelRequest } from './request.ts'
import type { Candidate, Routing } from './routing/candidates.ts'
import { passOn } from './wire/pass-on.ts'
import { speaks } from './wire/question.ts'

/** Where a call stands among the backends of its request. */
export interface Standing {
  readonly routing: Routing
  /** From 1. */
  readonly place: number
  readonly failures: readonly FailedBackend[]
}

/** Between two questions for money. */
const MONEY_MS = { first: 1000, most: 15_000 }

/** One call of one backend: its money and its record before it begins, the question, and what came of it. */
export class PaidCalls {
  readonly #deps: GatewayDeps
  readonly #texts = new Set<Promise<void>>()
  readonly #batches: CallBatches

  constructor(deps: GatewayDeps) {
    this.#deps = deps
    this.#batches = new CallBatches(deps.store)
  }

  /** Prompts and answers that are still being kept. */
  async settled(): Promise<void> {
    await Promise.all([...this.#texts, this.#batches.settled()])
  }

  async call(
    request: ModelRequest,
    candidate: Candidate,
    standing: Standing,
    options: InvokeOptions,
  ): Promise<GatewayAnswer> {
    const { provider, model } = candidate
    const { store, servers } = this.#deps
    const { spec } = provider
    const key = await this.#keyOf(candidate, request)
    const modelSpec = provider.models.find(({ name }) => name === model)
    const prices = provider.prices(model) ?? { input: 0n, output: 0n }
    const amount = worstPrice(request, modelSpec, prices)
    if (spec.server !== undefined) await servers.ready(provider.name, model, options.signal)
    const row = newRow(this.#deps, request, candidate, standing)
    const purchase: Purchase = { callId: row.call_id, asker: request.asker, provider: provider.name, model, amount }
    const { isReserved, short } = await this.#begin(request, candidate, row, purchase, options)
    const startedAt = store.clock.monotonicMs()
    const begun = { ...row, started_at: store.clock.now(), is_reserved: isReserved }
    const end = (more: Partial<ModelCallRow>, spent: Spent, turn: ModelTurnRow | null = null) =>
      this.#end(
        request,
        candidate,
        { ...begun, ...more },
        { amount, spent, ms: store.clock.monotonicMs() - startedAt, turn, short },
      )
    try {
      const { wire } = request
      const of = {
        timeoutMs: parseDuration(spec.timeout ?? '2m'),
        signal: options.signal,
        traceparent: traceparentOf(row.correlation_id, row.call_id),
      }
      const asked =
        wire !== undefined && speaks(spec, wire)
          ? await passOn({ ...of, question: wire, spec, model, modelSpec, key })
          : await askModel({
              ...of,
              connection: { spec, model, modelSpec, key },
              prompt: request,
              onText: options.onText ?? (() => {}),
            })
      const cost = asked.usage === null ? amount : costOf(asked.usage, prices)
      const answer: GatewayAnswer = {
        ...asked,
        callId: row.call_id,
        provider: provider.name,
        providerType: spec.type,
        class: provider.class,
        modelAsked: model,
        costNanoUsd: cost,
        latencyMs: Math.round(store.clock.monotonicMs() - startedAt),
        failures: standing.failures,
      }
      const ended = await end(completed(asked, cost), spentOf(asked, cost), options.turnOf?.(answer) ?? null)
      this.#keepTexts(request, ended, asked)
      return answer
    } catch (error) {
      const failure = error instanceof ModelFailure ? error : null
      // What was begun may have been paid for.
      const mayHaveCost = amount > 0n && (failure === null || failure.begun)
      const ended = await end(
        {
          state: 'failed',
          cause: failure?.cause_ ?? 'cancelled',
          problem: this.#deps.known.redact(errorMessage(error)).slice(0, 2000),
          usage: mayHaveCost ? 'unknown' : null,
          cost: mayHaveCost ? amount : 0n,
        },
        mayHaveCost ? { kind: 'unknown' } : { kind: 'nothing' },
      )
      this.#keepTexts(request, ended, null)
      throw error
    } finally {
      if (spec.server !== undefined) servers.used(provider.name, model)
    }
  }

  /** The key of the provider; null = it needs none. SW_SECRET_MISSING. */
  async #keyOf({ provider }: Candidate, { asker }: ModelRequest): Promise<string | null> {
    const { secretRef, type } = provider.spec
    const variable = KEY_VARIABLE[type]
    if (secretRef === undefined) {
      const value = variable === undefined ? null : (this.#deps.environment[variable] ?? null)
      if (variable !== undefined && !value)
        throw fail('SW_SECRET_MISSING', `provider ${provider.name} has no key: ${variable} is not set`, {
          remedy: `set ${variable}, or name a secret with secretRef`,
        })
      if (value !== null) this.#deps.known.learn(value)
      return value
    }
    const secret = secretName(secretRef)
    const value = await this.#deps.secrets.read(secret, {
      consumer: `modelprovider:${provider.name}`,
      namespace: asker.namespace,
      correlationId: asker.correlationId,
      ...(asker.run === null ? {} : { runId: asker.run.id }),
    })
    if (value === null)
      throw fail('SW_SECRET_MISSING', `provider ${provider.name} has no key: secret ${secretText(secret)} is not there`)
    return value
  }

  /** Waits for its turn a minute and for money. */
  async #begin(
    request: ModelRequest,
    { provider }: Candidate,
    row: ModelCallRow,
    purchase: Purchase,
    { signal, onWait }: InvokeOptions,
  ): Promise<Extract<Begun, { readonly kind: 'go' }>> {
    const { store, lineage } = this.#deps
    const beginner = { store, lineage, batches: this.#batches }
    const inMs = (ms: number): Date => new Date(store.clock.now().getTime() + ms)
    let pause = MONEY_MS.first
    for (;;) {
      signal.throwIfAborted()
      const begun = await beginCall(beginner, provider, row, purchase)
      switch (begun.kind) {
        case 'go':
          return begun
        case 'wait':
          onWait?.(`provider ${provider.name} takes so much a minute`, inMs(begun.ms))
          await delay(begun.ms, undefined, { signal })
          break
        case 'refused':
          throw new ModelFailure('budget', begun.message)
        case 'exhausted': {
          const error = fail('SW_OVER_BUDGET', `a model cannot be paid: ${begun.message}`, {
            remedy: 'raise maxUsd of the budget by a commit; what waits goes on by itself',
          })
          if (!begun.waits || request.withoutMoney === 'fail') {
            await giveUpMoney(store, row.call_id)
            throw error
          }
          onWait?.(begun.message, begun.retryAt ?? inMs(pause))
          try {
            await delay(pause, undefined, { signal })
          } catch {
            await giveUpMoney(store, row.call_id)
            throw signal.reason
          }
          pause = Math.min(pause * 2, MONEY_MS.most)
        }
      }
    }
  }

  async #end(
    { asker }: ModelRequest,
    { provider }: Candidate,
    row: ModelCallRow,
    { ms, ...of }: Pick<CallEnd, 'amount' | 'spent' | 'turn' | 'short'> & { readonly ms: number },
  ): Promise<ModelCallRow> {
    const { store, metrics } = this.#deps
    const ended = { ...row, ended_at: store.clock.now(), latency_ms: Math.round(ms) }
    await endCall(store, this.#batches, ended, { asker, providerUid: provider.uid, ...of })
    metrics.called(row.provider_type, row.class, ended.state === 'failed' ? 'failed' : 'completed', ms / 1000)
    if (ended.input_tokens !== null) metrics.tokens(row.class, 'input', ended.input_tokens)
    if (ended.output_tokens !== null) metrics.tokens(row.class, 'output', ended.output_tokens)
    return ended
  }

  /** What was asked and answered is kept beside the call: nobody waits for the disk. */
  #keepTexts(request: ModelRequest, row: ModelCallRow, asked: Asked | null): void {
    const { keepText, store } = this.#deps
    const { system, messages, tools, outputSchema } = request
    const { call_id, provider, provider_type, model_asked, model_answered } = row
    const about = { call_id, provider, provider_type, model_asked, model_answered }
    const kept = { asker: request.asker, metadata: about }
    const prompt = JSON.stringify({
      system,
      messages,
      tools: tools.map(({ name }) => name),
      output_schema: outputSchema,
    })
    const keep = async (): Promise<void> => {
      const name = `${provider}-${call_id.slice(0, 8)}`
      await keepText({
        ...kept,
        artifactId: row.prompt_artifact!,
        name: `${name}.prompt.json`,
        kind: 'prompt',
        text: prompt,
      })
      if (asked === null) return
      const text = JSON.stringify({ text: asked.text, tool_calls: asked.toolCalls, finish_reason: asked.finishReason })
      await keepText({
        ...kept,
        artifactId: row.answer_artifact!,
        name: `${name}.response.json`,
        kind: 'response',
        text,
      })
    }
    const keeping = keep()
      .catch((error: unknown) => store.log.warn({ err: error, call_id }, 'the text of a model call could not be kept'))
      .finally(() => this.#texts.delete(keeping))
    this.#texts.add(keeping)
  }
}

function newRow(
  { store }: GatewayDeps,
  request: ModelRequest,
  { provider, model }: Candidate,
  { routing, place }: Standing,
): ModelCallRow {
  const { asker } = request
  const now = store.clock.now()
  return {
    call_id: uuidv7(now.getTime()),
    namespace: asker.namespace,
    actor: asker.actor,
    agent: asker.agent,
    run_id: asker.run?.id ?? null,
    step: asker.step,
    task_id: asker.taskId,
    turn: asker.turn,
    route: routing.route,
    rule: routing.rule,
    complexity: routing.complexity,
    task_class: request.taskClass,
    place,
    provider: provider.name,
    provider_type: provider.spec.type,
    class: provider.class,
    model_asked: model,
    model_answered: null,
    state: 'begun',
    cause: null,
    problem: null,
    tokens_expected: estimateTokens(request),
    input_tokens: null,
    output_tokens: null,
    usage: null,
    cost: 0n,
    finish_reason: null,
    started_at: now,
    ended_at: null,
    first_token_ms: null,
    latency_ms: null,
    is_reserved: false,
    prompt_artifact: uuidv7(now.getTime()),
    answer_artifact: uuidv7(now.getTime()),
    correlation_id: asker.correlationId,
    writer: store.writer.id,
  }
}

function completed(asked: Asked, cost: bigint): Partial<ModelCallRow> {
  return {
    state: 'completed',
    model_answered: asked.modelAnswered,
    input_tokens: asked.usage?.inputTokens ?? null,
    output_tokens: asked.usage?.outputTokens ?? null,
    usage: asked.usage === null ? 'unknown' : 'reported',
    cost,
    finish_reason: asked.finishReason,
    first_token_ms: Math.round(asked.firstMs),
  }
}

function spentOf({ usage }: Asked, amount: bigint): Spent {
  return usage === null ? { kind: 'unknown' } : { kind: 'usage', usage, amount }
}
