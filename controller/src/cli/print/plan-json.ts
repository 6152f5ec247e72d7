import type { PlanWithEffects } from '../../reconcile/sync/plan-revisions.ts'

/** A ChangeSet and what it does, as scripts read it. */
export function planJson(plan: PlanWithEffects, observed: string | null): string {
  const { fromRevision, toRevision, counts, changes, risk, effects, issues, ignored, digest } = plan
  const shown = { fromRevision, toRevision, observed, counts, changes, risk, effects, issues, ignored, digest }
  return `${JSON.stringify(shown, null, 2)}\n`
}
