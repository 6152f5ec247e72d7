import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { type Issue, uniqueIssues } from '../lib/issue.ts'
import { ACTIONS, type Action, type Change, type Counts } from './change-set.ts'
import { neededBy } from './edges.ts'
import type { EffectiveSpec } from './effective-spec.ts'
import { dependencyOrder } from './order.ts'
import { planDigest } from './plan-digest.ts'
import type { Plan, PlanInput } from './planned.ts'

/** Puts changes in the order in which they are made, and counts them. */
export function assemble(
  input: PlanInput,
  changes: Map<ObjectKey, Change>,
  issues: readonly Issue[],
  effective: Map<ObjectKey, EffectiveSpec>,
  moved: readonly ObjectKey[],
  blockedDeletions: string | null,
  sorted: (keys: readonly ObjectKey[]) => readonly ObjectKey[],
): Plan {
  const edgesBefore = (key: ObjectKey) => neededBy(input.actual.get(key)!)
  const deletes = [...changes].filter(([, change]) => change.action === 'delete').map(([key]) => key)
  const others = [...changes].filter(([, change]) => change.action !== 'delete').map(([key]) => key)
  const ordered = [...sorted(others), ...dependencyOrder(deletes, edgesBefore).reverse()].map(
    (key) => changes.get(key)!,
  )
  const counts = countsOf(ordered, total(input) - ordered.length)
  const pending = new Set(
    ordered.filter((change) => change.action === 'blocked' || change.action === 'skip').map(keyOf),
  )
  return {
    fromRevision: input.fromRevision,
    toRevision: input.toRevision,
    changes: ordered,
    counts,
    issues: uniqueIssues(issues),
    ignored: input.desired.ignored(),
    digest: planDigest(ordered, [], []),
    effective,
    moved,
    pending,
    blockedDeletions,
  }
}

/** How many changes of each kind there are; what does not change is only counted. */
export function countsOf(changes: readonly Change[], unchanged: number): Counts {
  const counts = Object.fromEntries(ACTIONS.map((action) => [action, 0])) as Record<Action, number>
  for (const change of changes) counts[change.action]++
  return { ...counts, unchanged }
}

/** Objects that are declared or applied; those already being removed are not counted. */
function total(input: PlanInput): number {
  const { desired, actual } = input
  const beside = new Set<ObjectKey>()
  for (const key of desired.identified()) if (desired.all(key).length === 0) beside.add(key)
  for (const [key, object] of actual) if (!object.deleting && desired.all(key).length === 0) beside.add(key)
  return desired.size + beside.size
}
