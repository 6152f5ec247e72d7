const DAY_MS = 86_400_000
/** Spending of so many days tells what the next ones will cost. */
export const FORECAST_DAYS = 7

/**
 * What a window will have cost when it ends, if spending goes on as in the last days: what is used, and the average for
 * the time that is left. `spent` was spent in the `days` before now. Without an end: what is used. Nano-USD.
 */
export function forecastOf(
  { used, end }: { readonly used: bigint; readonly end: Date | null },
  spent: bigint,
  now: Date,
  days = FORECAST_DAYS,
): bigint {
  if (end === null || end <= now) return used
  return used + (spent * BigInt(end.getTime() - now.getTime())) / BigInt(days * DAY_MS)
}

/** When a budget will be used up at that pace; null = not within its window. */
export function exhaustedAt(
  { used, max, end }: { readonly used: bigint; readonly max: bigint; readonly end: Date | null },
  spent: bigint,
  now: Date,
  days = FORECAST_DAYS,
): Date | null {
  if (used >= max) return now
  if (spent <= 0n) return null
  const wait = ((max - used) * BigInt(days * DAY_MS) + spent - 1n) / spent
  const at = BigInt(now.getTime()) + wait
  return end !== null && at < BigInt(end.getTime()) ? new Date(Number(at)) : null
}
