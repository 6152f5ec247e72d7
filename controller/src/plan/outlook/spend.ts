import { keyOf, type ObjectKey, type ObjectRef } from '../../kinds/resource.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { formatUsd, parseUsd } from '../../lib/usd.ts'
import type { ActualState } from '../actual-state.ts'
import { modelOf } from '../effects/agent-model.ts'
import { type Lever, leversOf } from './levers.ts'
import { modelSwap, stepsSwap, type TokenPace } from './model-swap.ts'
import type { Moved, SpecOf } from './moved.ts'

/** What an object costs a month before a change, and after it, at the pace that its budget saw last. */
export interface SpendForecast extends ObjectRef {
  /** US dollars in 30 days, a decimal of two places; null = not known. */
  readonly before: string | null
  readonly after: string | null
  /** With how it was worked out, or why it could not be. */
  readonly message: string
}

/** What a budget counted in the last whole days. */
interface Pace {
  readonly budget: string
  readonly spent: bigint
  readonly days: number
  /** The midnight until which it counts. */
  readonly until: string
  /** Null = no model said any. */
  readonly tokens: TokenPace | null
  /** The most it lets through in a month; null = no limit. */
  readonly cap: bigint | null
}

const MONTH_DAYS = 30
const CENT = 10_000_000n
const EPOCH = new Date('2026-01-01T00:00:00.000Z')

/** One for each change that moves what is spent. Pure. */
export function spendAfter(
  moved: readonly Moved[],
  actual: ActualState,
  observed: ReadonlyMap<ObjectKey, JsonObject>,
  specOf: SpecOf,
): SpendForecast[] {
  return moved.flatMap((change): SpendForecast[] => {
    const found = change.kind === 'Budget' ? ofBudget(change, observed) : ofSpender(change, actual, observed, specOf)
    const { kind, namespace, name } = change
    return found === null ? [] : [{ kind, namespace, name, ...found }]
  })
}

type Found = Omit<SpendForecast, keyof ObjectRef>

function ofSpender(
  change: Moved,
  actual: ActualState,
  observed: ReadonlyMap<ObjectKey, JsonObject>,
  specOf: SpecOf,
): Found | null {
  const pace = change.before === null ? null : paceOf(change, actual, observed)
  const swap = change.kind === 'Blueprint' ? stepsSwap : modelSwap
  // After a change only what it changes is known.
  const known = (side: 'before' | 'after', key: ObjectKey) => specOf(side, key) ?? specOf('before', key)
  const swapped = swap(change, pace?.tokens ?? null, (side, name) => {
    // A step names an agent, which names its provider, or a provider in the place of one.
    const agent = keyOf({ kind: 'Agent', namespace: change.namespace, name })
    const own = change.kind === 'Blueprint' ? modelOf(known(side, agent))?.['provider'] : undefined
    return known(side, keyOf({ kind: 'ModelProvider', namespace: '', name: typeof own === 'string' ? own : name }))
  })
  const levers = leversOf(change, pace === null ? EPOCH : new Date(pace.until), swapped)
  if (levers.length === 0) return null
  const why = levers.map((lever) => lever.why).join(', ')
  if (pace === null) {
    const more = change.before === null ? '' : `; no budget counts ${change.kind} ${change.name} alone`
    return { before: null, after: null, message: `not known: ${why}${more}` }
  }
  const before = monthlyOf(pace)
  const more = levers.reduce((sum, { adds = 0n }) => sum + adds, before)
  const after = levers.reduce<bigint | null>((sum, lever) => times(sum, lever), more > 0n ? more : 0n)
  if (after === null)
    return {
      before: cents(before),
      after: null,
      message: `${cents(before)} → not known USD a month: ${why} (${paceText(pace)})`,
    }
  const { cap } = pace
  if (cap !== null && after > cap && after > before)
    return forecast(before, cap, `${why}, up to the limit (${paceText(pace)})`)
  return forecast(before, after, `${why} (${paceText(pace)})`)
}

function times(sum: bigint | null, lever: Lever): bigint | null {
  if (sum === null || lever.times === null) return null
  const [to, from] = lever.times
  return (sum * BigInt(to)) / BigInt(from)
}

/** A limit that was met hides how much more would have been spent. */
function ofBudget({ key, name, before, after }: Moved, observed: ReadonlyMap<ObjectKey, JsonObject>): Found | null {
  const [was, is] = [monthlyCap(before), monthlyCap(after)]
  if (before !== null && after !== null && was === is) return null
  const pace = before === null ? null : paceIn(observed.get(key), name, was)
  const limit = is === null ? 'without a limit' : `at most ${cents(is)}`
  if (pace === null)
    return { before: null, after: null, message: `not known: nothing was counted for it yet; ${limit} USD a month` }
  const now = monthlyOf(pace)
  const spent = was !== null && now > was ? was : now
  // Within a twentieth of the limit it is the limit that decided.
  const wasMet = was !== null && spent * 20n >= was * 19n
  if (wasMet && (is === null || is > was)) {
    const message = `${cents(spent)} → more, ${limit} USD a month: the limit was met (${paceText(pace)})`
    return { before: cents(spent), after: null, message }
  }
  return forecast(spent, is !== null && spent > is ? is : spent, `${limit} (${paceText(pace)})`)
}

function forecast(before: bigint, after: bigint, how: string): Found {
  return {
    before: cents(before),
    after: cents(after),
    message: `${cents(before)} → ${cents(after)} USD a month: ${how}`,
  }
}

/** Of the budget of this object alone: what a wider one counts is not all its own. */
function paceOf({ kind, namespace, name }: Moved, actual: ActualState, observed: ReadonlyMap<ObjectKey, JsonObject>) {
  for (const [key, object] of actual) {
    if (object.kind !== 'Budget' || object.namespace !== namespace) continue
    const scope = object.spec['scopeRef']
    if (!isObject(scope) || scope['kind'] !== kind || scope['name'] !== name) continue
    const pace = paceIn(observed.get(key), object.name, monthlyCap(object.spec))
    if (pace !== null) return pace
  }
  return null
}

function paceIn(status: JsonObject | undefined, budget: string, cap: bigint | null): Pace | null {
  const last = status?.['lastDays']
  if (!isObject(last)) return null
  const { spent, days, until } = last
  const nano = typeof spent === 'string' ? parseUsd(spent) : null
  if (nano === null || typeof days !== 'number' || days < 1 || typeof until !== 'string') return null
  const { inputTokens: input, outputTokens: output } = last
  const tokens = typeof input === 'number' && typeof output === 'number' ? { input, output, days } : null
  return Number.isNaN(Date.parse(until)) ? null : { budget, spent: nano, days, until, tokens, cap }
}

function monthlyOf({ spent, days }: Pace): bigint {
  return (spent * BigInt(MONTH_DAYS)) / BigInt(days)
}

const WINDOWS_A_MONTH: Readonly<Record<string, bigint>> = { hour: 720n, day: 30n, month: 1n }

/** The most that can be spent in 30 days; null when nothing stops it. */
function monthlyCap(spec: JsonObject | null): bigint | null {
  if (spec === null || spec['action'] === 'Alert') return null
  const max = spec['maxUsd']
  const nano = typeof max === 'string' || typeof max === 'number' ? parseUsd(max) : null
  if (nano === null) return null
  const window = String(spec['window'] ?? 'month')
  return window === 'week' ? (nano * BigInt(MONTH_DAYS)) / 7n : nano * (WINDOWS_A_MONTH[window] ?? 1n)
}

function paceText({ budget, spent, days, until }: Pace): string {
  return `${cents(spent)} USD in the ${days} days until ${until.slice(0, 10)}, budget ${budget}`
}

function cents(nano: bigint): string {
  return formatUsd(((nano + CENT / 2n) / CENT) * CENT)
}
