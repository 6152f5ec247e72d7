import { pricesOf } from '../../kinds/model-provider/model-provider.kind.ts'
import { canonicalJson } from '../../lib/digest.ts'
import type { JsonObject } from '../../lib/json.ts'
import { modelOf } from '../effects/agent-model.ts'
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
  if (was === null || is === null || pace === null || !sameBut(was, is)) return null
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
