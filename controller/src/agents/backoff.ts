import { sha256 } from '../lib/digest.ts'

/** A process that lived this long counts as started well: the next pause is the first one again. */
export const STABLE_MS = 60_000
const FIRST_MS = 500
const LONGEST_MS = 300_000
/** Instances that died together should not all come back together. */
const JITTER = 0.2

/**
 * The pause before the start after `crashes` starts in a row that did not last (1 = the first one): 0.5 s, doubled each
 * time up to 5 min, plus up to a fifth. The jitter follows from `seed`, so asking again gives the same time.
 */
export function restartDelayMs(crashes: number, seed: string): number {
  if (crashes <= 0) return 0
  const delay = Math.min(FIRST_MS * 2 ** Math.min(crashes - 1, 30), LONGEST_MS)
  const fraction = Number.parseInt(sha256(seed).slice(0, 8), 16) / 0xffffffff
  return Math.round(delay * (1 + JITTER * fraction))
}

/** How many starts in a row did not last, counting the process that just ended. */
export function crashesAfter(ended: { readonly crashCount: number; readonly ranMs: number }): number {
  return ended.ranMs >= STABLE_MS ? 1 : ended.crashCount + 1
}
