import { pricesOf } from '../../kinds/model-provider/model-provider.kind.ts'
import { canonicalJson } from '../../lib/digest.ts'
import { isObject, type Json, type JsonObject, valueAt } from '../../lib/json.ts'
import { modelOf } from '../effects/agent-model.ts'
import { objectsOf } from '../effects/spec-parts.ts'
import type { Lever } from './levers.ts'
import type { Moved } from './moved.ts'

/** Tokens that an agent's models read and wrote in so many days. */
export interface TokenPace {
  readonly input: number
  readonly output: number
  readonly days: number
}

type ProviderSpec = (side: 'before' | 'after', provider: string) => JsonObject | null

const MONTH_DAYS = 30n
const PER_MTOK = 1_000_000n

/**
 * What an agent that asks another model costs more a month, if that reads and writes as many tokens; null where nobody can say:
 * a side that names no model, a price that is not declared, or other changes that make other tokens. Pure.
 */
export function modelSwap({ before, after }: Moved, pace: TokenPace | null, specOf: ProviderSpec): Lever | null {
  const [was, is] = [modelOf(before), modelOf(after)]
  if (was === null || is === null || !sameBut(was, is)) return null
  return swapOf(was, is, pace, specOf)
}

/**
 * The same of a blueprint. Its tokens are counted together, so it is known only when all its steps that think asked one model
 * before, and ask one after, and nothing else of them is different.
 */
export function stepsSwap({ before, after }: Moved, pace: TokenPace | null, specOf: ProviderSpec): Lever | null {
  const [was, is] = [before, after].map((spec) => thinkersOf(spec?.['plan'])) as [JsonObject[], JsonObject[]]
  const [one, other] = [was[0], is[0]]
  if (one === undefined || other === undefined || was.length !== is.length) return null
  const isOneModel = (steps: readonly JsonObject[], model: JsonObject) =>
    steps.every((step) => canonicalJson(backendOf(step)) === canonicalJson(backendOf(model)))
  if (!isOneModel(was, one) || !isOneModel(is, other)) return null
  const rest = (steps: readonly JsonObject[]) => canonicalJson(steps.map(withoutBackend))
  return rest(was) === rest(is) ? swapOf(backendOf(one), backendOf(other), pace, specOf) : null
}

/** Steps that ask models, or agents that may; those of called blueprints are counted for them. */
function thinkersOf(plan: Json | undefined): JsonObject[] {
  return objectsOf(plan).flatMap((step) => {
    const thinks =
      step['agent'] !== undefined || step['model'] !== undefined || valueAt(step, '/with/model') !== undefined
    return [...(thinks ? [step] : []), ...thinkersOf(step['plan'])]
  })
}

/** A step names its provider, or a provider in the place of an agent. */
function backendOf(step: JsonObject): JsonObject {
  const given = step['with']
  const more = isObject(given) ? given : {}
  const provider = step['provider'] ?? more['provider'] ?? step['agent'] ?? null
  return { provider, model: step['model'] ?? more['model'] ?? null } as JsonObject
}

function withoutBackend({ provider: _, model: __, plan: ___, agent, with: given, ...step }: JsonObject): JsonObject {
  if (!isObject(given)) return { ...step, agent: agent ?? null }
  const { provider: ____, model: _____, ...more } = given as JsonObject
  return { ...step, agent: agent ?? null, with: more }
}

function swapOf(was: JsonObject, is: JsonObject, pace: TokenPace | null, specOf: ProviderSpec): Lever | null {
  if (pace === null) return null
  const [from, to] = [costOf(was, 'before'), costOf(is, 'after')]
  if (from === null || to === null) return null
  const tokens = `${pace.input} tokens in, ${pace.output} out in ${pace.days} days`
  return { times: [1, 1], adds: to - from, why: `${nameOf(was)} → ${nameOf(is)}, ${tokens}` }

  function costOf({ provider, model }: JsonObject, side: 'before' | 'after'): bigint | null {
    if (typeof provider !== 'string' || typeof model !== 'string') return null
    const spec = specOf(side, provider)
    const prices = spec === null ? null : pricesOf(spec, model)
    if (prices === null || pace === null) return null
    const cost = BigInt(pace.input) * prices.input + BigInt(pace.output) * prices.output
    return (cost * MONTH_DAYS) / (PER_MTOK * BigInt(pace.days))
  }
}

function sameBut({ provider: _, model: __, ...was }: JsonObject, { provider: ___, model: ____, ...is }: JsonObject) {
  return canonicalJson(was) === canonicalJson(is)
}

const nameOf = ({ provider, model }: JsonObject): string => `${String(provider)}/${String(model)}`
