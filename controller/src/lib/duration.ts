const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** What a manifest may write: `300ms`, `30s`, `5m`, `24h`, `7d`, or parts together as in Go: `1h30m`. */
export const DURATION_PATTERN = '^([0-9]+(ms|s|m|h|d))+$'
const DURATION = new RegExp(DURATION_PATTERN)

/** Milliseconds of a duration text; throws `RangeError` for anything {@link DURATION_PATTERN} refuses. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) {
    throw new RangeError(`"${text}" is not a duration: write for example 30s, 5m, 1h30m`)
  }
  let total = 0
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(ms|s|m|h|d)/g)) total += Number(amount) * UNITS[unit!]!
  return total
}

/** Kubernetes-style age: the largest one or two units (`45s`, `3m12s`, `5h`, `12d`). */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  return `${Math.floor(hours / 24)}d`
}
