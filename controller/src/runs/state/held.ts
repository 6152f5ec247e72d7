import type { Json, JsonObject } from '../../lib/json.ts'
import type { StepRow } from '../../store/journal.ts'
import type { RunState } from './run-state.ts'

/** A step whose turn it is, and that policies hold until people agree: it has not begun. Kept in the step's condition. */
export interface Hold {
  /** What has to be approved, one after the other. */
  readonly approvals: readonly { readonly min: number; readonly from_any_of: readonly string[] }[]
  /** How many of them have been. */
  readonly approved: number
  /** Who asked for it, for people: `policy default/production (version 3), rule needs-owner`. */
  readonly by: string
  readonly question: string
  /** Path of the step whose gate this one waits for as well: the run itself may not begin. Then it has none of its own. */
  readonly follows: string | null
}

export function holdOf(row: StepRow | undefined): Hold | null {
  if (row?.status !== 'running' || row.condition === null) return null
  const held = (row.condition as JsonObject)['held'] as Json | undefined
  return held == null ? null : (held as unknown as Hold)
}

export function isHeld(run: RunState, path: string): boolean {
  return holdOf(run.steps.get(path)) !== null
}
