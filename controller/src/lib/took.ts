import { formatAge } from './duration.ts'

/** How long something took: `350ms`, `1.2s`, `3m12s`. */
export function tookText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`
  return formatAge(ms)
}

/** Milliseconds between two times, never below 0. */
export function msBetween(start: string, end: string | Date): number {
  return Math.max(0, new Date(end).getTime() - Date.parse(start))
}

/** Bytes as people read them: `512 B`, `40.1 KB`, `3.2 MB`. */
export function sizeText(bytes: number): string {
  const [unit, factor] = bytes < 1000 ? ['B', 1] : bytes < 1e6 ? ['KB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9]
  return unit === 'B' ? `${bytes} B` : `${(bytes / factor).toFixed(1)} ${unit}`
}
