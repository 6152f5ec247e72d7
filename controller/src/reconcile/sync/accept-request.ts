import type { Issue } from '../../lib/issue.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { Plan } from '../../plan/planned.ts'
import type { Revision } from '../../source/ports.ts'

/** A plan that is to become the accepted state. */
export interface AcceptRequest {
  readonly source: string
  readonly revision: Revision
  readonly plan: Plan
  /** With line and column. */
  readonly issues: readonly Issue[]
  readonly desired: DesiredState
  /** Files whose rows this revision may change. */
  readonly paths: readonly string[]
  /** Plans only: of all objects just the source's own is changed, which says so. */
  readonly observe: boolean
  /** The revision does not go on from the one before. */
  readonly rewritten: boolean
  /** Monotonic milliseconds when the work began. */
  readonly startedMs: number
  readonly actor: string
  readonly correlationId: string
}
