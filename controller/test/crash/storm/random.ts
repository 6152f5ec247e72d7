/** Numbers that follow from a seed alone (mulberry32), so that a storm can be had again. */
export interface Random {
  /** 0 ≤ x < 1 */
  next(): number
  /** A whole number, both ends included. */
  between(low: number, high: number): number
  pick<T>(list: readonly T[]): T
  /** True this often, 0 to 1. */
  chance(probability: number): boolean
}

/** Streams of one seed with different names are independent: what one of them is asked does not move the others. */
export function randomOf(seed: number, stream: string): Random {
  let state = seed >>> 0
  for (const character of stream) state = Math.imul(state ^ character.codePointAt(0)!, 0x01000193) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  return { next, between, pick: (list) => list[between(0, list.length - 1)]!, chance: (often) => next() < often }
}
