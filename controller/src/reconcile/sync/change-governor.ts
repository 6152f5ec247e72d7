import type { Governance, GovernedPlan } from '../../plan/approvals/hold.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { PlannedEffects } from '../../plan/effects/effects-of.ts'
import type { Plan } from '../../plan/planned.ts'
import type { Tx } from '../../store/database.ts'
import type { NewEvent } from '../../store/ports.ts'

/** What a plan is made for: where the wanted state is read from, and what was applied before. */
export interface PlannedAt {
  /** The commit that is wanted. */
  readonly commit: string
  /** The source's tree in it. */
  readonly tree: string
  /** The commit that was applied last; null before the first. */
  readonly applied: string | null
  readonly desired: DesiredState
  /** Of a proposal, which is on no protected branch: who made it, beside the authors of its commits. */
  readonly proposedBy?: readonly string[]
}

/** Who decides about changes, gathered before the plan is: policies, owners of paths and words of people as of what was applied last. */
export interface ChangeGovernor {
  /** Null = nothing asks for anything. */
  gather(made: Plan, does: PlannedEffects, at: PlannedAt): Promise<GatheredGovernance | null>
}

export interface GatheredGovernance extends Governance {
  /**
   * Writes what the commits themselves said about what was decided, within the transaction that accepts the plan; answers with
   * the events of it.
   */
  record(
    tx: Tx,
    plan: GovernedPlan,
    about: { readonly actor: string; readonly correlationId: string },
  ): Promise<NewEvent[]>
}

/** Changes by anybody go through: where there is no history to tell who made them. */
export const NO_GOVERNOR: ChangeGovernor = { gather: async () => null }
