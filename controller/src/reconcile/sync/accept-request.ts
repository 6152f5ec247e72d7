import type { Issue } from '../../lib/issue.ts'
import type { GovernedPlan } from '../../plan/approvals/hold.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { Revision } from '../../source/ports.ts'
import type { GatheredGovernance } from './change-governor.ts'

/** A plan that is to become the accepted state. */
export interface AcceptRequest {
  readonly source: string
  readonly revision: Revision
  readonly plan: GovernedPlan
  /** Who decided about it; null = nobody was asked. */
  readonly governance: GatheredGovernance | null
  /** What waited for somebody's word already, as lines of `held-changes.ts`. */
  readonly heldBefore: ReadonlySet<string>
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
