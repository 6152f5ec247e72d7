import type { ObjectKey } from '../../kinds/resource.ts'
import { type GovernedPlan, governed } from '../../plan/approvals/hold.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { EffectsInput } from '../../plan/effects/effects-of.ts'
import { effectsOfPlan } from '../../plan/effects/effects-of-plan.ts'
import { plan } from '../../plan/plan.ts'
import type { Plan, PlanInput } from '../../plan/planned.ts'
import type { Revision } from '../../source/ports.ts'
import { approvedDeletions, recentDeletions } from '../../store/queries/sources.ts'
import type { Store } from '../../store/store.ts'
import type { ChangeGovernor, GatheredGovernance } from './change-governor.ts'

/** What reading a head came to. */
export interface Reading {
  readonly revision: Revision
  readonly desired: DesiredState
  readonly scope: ReadonlySet<ObjectKey> | null
  readonly paths: readonly string[]
  /** Nobody asked, and nothing is new. */
  readonly nothing: boolean
}

/** Objects deleted within this time count together against the limit, so that splitting a deletion does not help. */
const DELETION_WINDOW_MS = 24 * 3_600_000

/** A plan with what it was decided by. */
export interface PlannedReading {
  readonly made: GovernedPlan
  readonly governance: GatheredGovernance | null
}

/** Plans what was read, with what it does and what of it has to wait for somebody's word. */
export async function planReading(
  store: Store,
  reading: Reading,
  governor: ChangeGovernor,
  given: Omit<PlanInput, 'desired' | 'scope' | 'toRevision' | 'deletions'> & Pick<EffectsInput, 'builtinToolRisk'>,
): Promise<PlannedReading> {
  const made = await planLimited(store, reading, given)
  const does = effectsOfPlan(made, given.actual, given.builtinToolRisk)
  const { revision, desired } = reading
  const at = { commit: revision.commit, tree: revision.tree, applied: given.fromRevision, desired }
  const governance = await governor.gather(made, does, at)
  return { made: governed(made, does, governance), governance }
}

/** Asks the store about deletions only where there are some. */
async function planLimited(
  store: Store,
  reading: Reading,
  given: Omit<PlanInput, 'desired' | 'scope' | 'toRevision' | 'deletions'>,
): Promise<Plan> {
  const input = { ...given, desired: reading.desired, scope: reading.scope, toRevision: reading.revision.commit }
  const first = plan({ ...input, deletions: { recent: new Map(), approved: new Set() } })
  if (first.counts.delete === 0 && first.blockedDeletions === null) return first
  const since = new Date(store.clock.now().getTime() - DELETION_WINDOW_MS)
  const approved = await approvedDeletions(store.reader)
  const allowed = /^Stateward-Allow-Deletions: ([0-9]+)$/m.exec(reading.revision.message)
  if (allowed !== null) approved.add(`count:${allowed[1]}`)
  return plan({ ...input, deletions: { recent: await recentDeletions(store.reader, since), approved } })
}
