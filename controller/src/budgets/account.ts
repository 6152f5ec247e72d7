import { type Period, type Window, windowAt } from './window.ts'

/**
 * The arithmetic of budgets. Pure, and in whole nano-USD: no amount is ever rounded.
 *
 * 1. `used + reserved` never passes `max` by a reservation (action Alert aside), however many ask at once.
 * 2. What was reserved is charged or freed exactly once; what was spent stays spent until its window is over.
 * 3. Throttle never lets more through than Pause would.
 */

export const BUDGET_ACTIONS = ['Alert', 'Throttle', 'Pause', 'Kill'] as const
export type BudgetAction = (typeof BUDGET_ACTIONS)[number]

/** How an account stands; amounts are nano-USD. */
export interface Account {
  readonly account: string
  readonly max: bigint
  readonly used: bigint
  readonly reserved: bigint
  readonly period: Period
  readonly action: BudgetAction
  readonly thresholds: readonly number[]
  readonly window: Window
  /** The highest threshold of this window that was told of. */
  readonly told: number
  /** Throttle: since when, and from what amount on, the rest is spread over what is left of the window. */
  readonly paced: { readonly from: Date; readonly level: bigint } | null
  readonly exhaustedAt: Date | null
}

/** The same account at a later time: in a new window nothing is used yet; what is reserved stays so. */
export function atTime<A extends Account>(account: A, now: Date): A {
  const { end } = account.window
  if (end === null || now < end) return account
  return { ...account, window: windowAt(account.period, now), used: 0n, told: 0, paced: null, exhaustedAt: null }
}

/** What may be reserved now; null = any amount (Alert never refuses). Below 0 when more was reported than was reserved. */
export function roomOf(account: Account, now: Date): bigint | null {
  if (account.action === 'Alert') return null
  return limitAt(account, now) - account.used - account.reserved
}

/** What is left until the window is over, at least 0. */
export function remainingOf({ max, used, reserved }: Pick<Account, 'max' | 'used' | 'reserved'>): bigint {
  const left = max - used - reserved
  return left > 0n ? left : 0n
}

/** How much may be gone by now: all of it, or what Throttle lets through until now. */
export function limitAt({ action, max, paced, window }: Account, now: Date): bigint {
  if (action !== 'Throttle' || paced === null || window.end === null || paced.level >= max) return max
  const span = BigInt(window.end.getTime() - paced.from.getTime())
  const passed = BigInt(Math.max(0, now.getTime() - paced.from.getTime()))
  if (span <= 0n || passed >= span) return max
  return paced.level + ((max - paced.level) * passed) / span
}

export type Admission<A extends Account> =
  | { readonly granted: true }
  /** `retryAt`: when there may be enough without anybody doing anything; null = nobody knows. */
  | { readonly granted: false; readonly by: A; readonly retryAt: Date | null }

/** Whether an amount may be reserved of every account; else the first one, from the top, that has too little. Nothing is free of an account that is used up: asking for 0 is asking whether there is any. */
export function admit<A extends Account>(accounts: readonly A[], amount: bigint, now: Date): Admission<A> {
  for (const account of accounts) {
    const room = roomOf(account, now)
    if (room === null || (amount === 0n ? room > 0n : room >= amount)) continue
    return { granted: false, by: account, retryAt: retryAt(account, amount, now) }
  }
  return { granted: true }
}

/** The time at which Throttle lets that much through, or the window ends. */
function retryAt(account: Account, amount: bigint, now: Date): Date | null {
  const { paced, window, max, used, reserved, action } = account
  const { end } = window
  const needed = used + reserved + (amount === 0n ? 1n : amount)
  if (action !== 'Throttle' || paced === null || end === null || needed > max || paced.level >= max) return end
  const span = BigInt(end.getTime() - paced.from.getTime())
  const rest = max - paced.level
  const wait = ((needed - paced.level) * span + rest - 1n) / rest
  return new Date(Math.max(now.getTime(), paced.from.getTime() + Number(wait)))
}

/** Thresholds that are passed now and were not told of before, ascending. */
export function newThresholds({ max, used, thresholds, told }: Account): number[] {
  return thresholds
    .filter((percent) => percent > told && used > 0n && used * 100n >= max * BigInt(percent))
    .sort((a, b) => a - b)
}

/** An account after something was spent: from the first threshold on, Throttle spreads the rest. */
export function afterSpending<A extends Account>(account: A, now: Date): A {
  const reached = newThresholds(account)
  const told = reached.at(-1) ?? account.told
  const begins = account.action === 'Throttle' && account.paced === null && told > 0 && account.window.end !== null
  return { ...account, told, paced: begins ? { from: now, level: account.used } : account.paced }
}
