import type { CostSummary } from '../../api/reads.ts'

/** What one of a group cost, day by day. */
export interface CostSeries {
  readonly name: string
  /** US dollars, one for each day that was asked for. */
  readonly amounts: readonly number[]
  readonly total: number
}

/** More cannot be told apart by colour. */
export const MOST_SERIES = 7
const NOBODY = 'not said'
export const OTHERS = 'all others'

/** Days from one to another, both included, as the ledger names them (UTC): `2026-03-28`. */
export function daysBetween(from: Date, to: Date): string[] {
  const days: string[] = []
  for (const day = new Date(from.toISOString().slice(0, 10)); day <= to; day.setUTCDate(day.getUTCDate() + 1)) {
    days.push(day.toISOString().slice(0, 10))
  }
  return days
}

/**
 * Sums over (group, day) as one series for each of the group, the dearest first. All but the dearest are put together, so
 * that there are never more than {@link MOST_SERIES}. Sums of days that were not asked for are left out.
 */
export function seriesOf(items: CostSummary['items'], group: string, days: readonly string[]): CostSeries[] {
  const placeOf = new Map(days.map((day, place) => [day, place]))
  const amountsOf = new Map<string, number[]>()
  for (const { group: of, amount_usd: amount } of items) {
    const place = placeOf.get(of['day'] ?? '')
    if (place === undefined) continue
    const name = of[group] ?? NOBODY
    const amounts = amountsOf.get(name) ?? new Array<number>(days.length).fill(0)
    amounts[place] = (amounts[place] ?? 0) + Number(amount)
    amountsOf.set(name, amounts)
  }
  const all = [...amountsOf]
    .map(([name, amounts]) => ({ name, amounts, total: sum(amounts) }))
    .sort((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1))
  if (all.length <= MOST_SERIES) return all
  const rest = all.slice(MOST_SERIES - 1)
  const amounts = days.map((_day, place) => sum(rest.map((each) => each.amounts[place] ?? 0)))
  return [...all.slice(0, MOST_SERIES - 1), { name: OTHERS, amounts, total: sum(amounts) }]
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0)
}
