import type { ObjectKey } from '../../kinds/resource.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import { plan } from '../../plan/plan.ts'
import type { Plan, PlanInput } from '../../plan/planned.ts'
import type { Revision } from '../../source/ports.ts'
import { approvedDeletions, recentDeletions } from '../../store/queries/sources.ts'
import type { Store } from '../../store/store.ts'

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

/** Plans what was read; asks the store about deletions only where there are some. */
export async function planReading(
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
