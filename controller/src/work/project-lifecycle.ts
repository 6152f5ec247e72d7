/** How far a project is, and where it may go from there. */
const MOVES = {
  discovery: ['active'],
  active: ['paused', 'complete'],
  paused: ['active', 'complete'],
  complete: [],
} as const

export type LifecyclePhase = keyof typeof MOVES
export const LIFECYCLE_PHASES = Object.keys(MOVES) as readonly LifecyclePhase[]

/** Why a project may not go from one phase to another, or null. */
export function lifecycleProblem(from: LifecyclePhase, to: LifecyclePhase): string | null {
  const next: readonly LifecyclePhase[] = MOVES[from]
  if (from === to) return `it is ${to} already`
  if (next.includes(to)) return null
  return next.length === 0 ? `${from} is where it ends` : `from ${from} it goes to ${next.join(' or ')}, not to ${to}`
}
